// Servers on loopback for the tests of the command line.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ServerOptions, WebSocketServer } from 'ws';
import { CERT, KEY } from '../../server/test/gateway/certificate.ts';

/** Runs `close` at the end of the test. */
export function atEnd(close: () => void): void {
  onTestFinished(close);
}

export function urlOf(address: unknown, scheme = 'ws'): string {
  return `${scheme}://127.0.0.1:${(address as AddressInfo).port}/`;
}

/** Starts a server on a free port, until the end of the test. */
export async function serve(
  options: ServerOptions = {},
): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 });
  atEnd(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, url: urlOf(server.address()) };
}

/** Starts a server behind TLS, by default with a certificate that nobody trusts. */
export async function serveSecurely(
  identity: { readonly cert: string; readonly key: string } = { cert: CERT, key: KEY },
): Promise<{ server: WebSocketServer; url: string }> {
  const http = createSecureServer(identity);
  const server = new WebSocketServer({ server: http });
  atEnd(() => {
    for (const client of server.clients) client.terminate();
    http.close();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { server, url: urlOf(http.address(), 'wss') };
}

/** Opens a port that accepts connections and sends nothing. */
export async function serveSilence(scheme = 'ws'): Promise<string> {
  const server = createServer((socket) => {
    atEnd(() => socket.destroy());
  });
  atEnd(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return urlOf(server.address(), scheme);
}

/** Opens a port that answers every request with this HTTP status, and with headers that end in `\r\n`. */
export async function serveStatus(status: number, headers = ''): Promise<string> {
  const server = createServer((socket) => {
    socket.once('data', () =>
      socket.end(
        `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n${headers}\r\n`,
      ),
    );
    socket.on('error', () => {});
  });
  atEnd(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return urlOf(server.address());
}

/** One line of JSON. */
export interface Line {
  readonly type: string;
  readonly [key: string]: unknown;
}

export function jsonLines(text: string): readonly Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Creates a folder that is removed at the end of the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  return folder;
}
