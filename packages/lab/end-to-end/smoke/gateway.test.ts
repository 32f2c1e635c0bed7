// `wirebeat gateway` as a process: pages through it, its status page, its log, its end.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { Program } from '../../programs/program.ts';
import { MS } from '../allowance.ts';

const MAIN = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

let upstream: WebSocketServer;
let program: Program;
let folder: string;

interface Entry {
  readonly event: string;
  readonly [name: string]: unknown;
}

const entries = (): Entry[] =>
  program.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Starts it on a free port. Resolves to its URL. */
async function start(...args: string[]): Promise<string> {
  program = new Program(process.execPath, [MAIN, 'gateway', ...args]);
  await program.prints(/"listening".*\n/);
  return String(entries()[0]?.['url']);
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  upstream = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  upstream.on('connection', (socket) =>
    socket.on('message', (data) => socket.send(`echo ${data}`)),
  );
  await once(upstream, 'listening');
});

afterEach(async () => {
  await program.end();
  for (const client of upstream.clients) client.terminate();
  upstream.close();
  rmSync(folder, { recursive: true });
});

const upstreamUrl = () => `ws://127.0.0.1:${(upstream.address() as AddressInfo).port}`;

describe('wirebeat gateway', () => {
  it('carries a page, serves its status, and drains at SIGTERM', async () => {
    const url = await start(
      '--listen',
      '127.0.0.1:0',
      '--upstream',
      upstreamUrl(),
      '--drain',
      '0.2',
      '--status',
      'public',
    );
    const socket = new ReconnectingWebSocket(url, [], { maxAttempts: 0 });
    const [message, pong] = [once(socket, 'message'), once(socket, 'pong')];
    socket.send('hello');
    expect(((await message)[0] as MessageEvent).data).toBe('echo hello');
    await pong;
    const http = url.replace('ws:', 'http:');
    const health = await fetch(`${http}/healthz`);
    expect([health.status, await health.json()]).toMatchObject([
      200,
      { state: 'running', open: 1 },
    ]);
    const metrics = await (await fetch(`${http}/metrics`)).text();
    expect(metrics).toMatch(/^wirebeat_connections\{status="alive"\} 1$/m);
    expect(metrics).toMatch(/^wirebeat_gateway_page_pongs_total [1-9]/m);
    expect(metrics).toMatch(/^wirebeat_latency_seconds_bucket\{le="10",tier="upstream"\} [1-9]/m);
    expect((await fetch(`${http}/`)).status).toBe(426);
    const closed = once(socket, 'close');
    program.signal('SIGTERM');
    expect(((await closed)[0] as CloseEvent).code).toBe(1012);
    expect(await program.exit()).toBe(0);
    expect(entries().map(({ event }) => event)).toEqual([
      ...['listening', 'open', 'draining', 'end', 'closed'],
    ]);
    expect(entries().find(({ event }) => event === 'end')).toMatchObject({ reason: 'drain' });
  });

  it('takes its options from a file, and the command line before it', async () => {
    const path = join(folder, 'gateway.json');
    const upstreamAddress = upstreamUrl().replace('ws:', 'http:');
    const config = { listen: ':1', upstream: upstreamAddress, maxConnections: 1, status: false };
    writeFileSync(path, JSON.stringify(config));
    const url = await start('--config', path, '--listen', '127.0.0.1:0');
    const [first, second] = [url, url].map(
      (each) => new ReconnectingWebSocket(each, [], { maxAttempts: 0 }),
    );
    await Promise.race([
      once(first as EventTarget, 'giveup'),
      once(second as EventTarget, 'giveup'),
    ]);
    const refusal = () => entries().find(({ event }) => event === 'refuse')?.['reason'];
    await expect.poll(refusal, { timeout: 10_000 * MS }).toBe('too-many');
    for (const socket of [first, second]) socket?.close();
  });

  it.each([
    ['cert', 'key'],
    ['key', 'cert'],
  ])('does not listen with a %s and no %s, and exits with 2', async (has, lacks) => {
    const path = join(folder, 'gateway.json');
    writeFileSync(path, JSON.stringify({ upstream: upstreamUrl(), [has]: 'tls.pem' }));
    program = new Program(process.execPath, [MAIN, 'gateway', '--config', path]);
    expect(await program.exit()).toBe(2);
    const sentence = `wirebeat: ${path}: Missing \`${lacks}\`: TLS needs both \`key\` and \`cert\`\n`;
    expect([program.output, program.errors]).toEqual(['', sentence]);
  });

  it('has its status page at a port of its own, or none', async () => {
    const asked = async (url: string) =>
      Promise.all(
        ['/healthz', '/readyz', '/metrics'].map(async (path) => (await fetch(url + path)).status),
      );
    const args = ['--listen', '127.0.0.1:0', '--upstream', upstreamUrl()];
    const first = await start(...args, '--status', '127.0.0.1:0');
    const status = String(entries()[0]?.['status']);
    await expect.poll(() => asked(status), { timeout: 10_000 * MS }).toEqual([200, 200, 200]);
    expect((await fetch(status)).status).toBe(404);
    expect(await asked(first.replace('ws:', 'http:'))).toEqual([426, 426, 426]);
    program.signal('SIGTERM');
    expect(await program.exit()).toBe(0);
    await expect(fetch(status)).rejects.toThrow();
    const second = await start(...args, '--no-status');
    expect(await asked(second.replace('ws:', 'http:'))).toEqual([426, 426, 426]);
  });

  it('logs the path that was dialled, no query, and no control character of a peer', async () => {
    const url = await start('--listen', '127.0.0.1:0', '--upstream', upstreamUrl(), '--no-status');
    upstream.once('connection', (socket) =>
      socket.close(4000, 'bye\u001b[2J\n\u009b31m ?token=SECRET'),
    );
    const socket = new ReconnectingWebSocket(`${url}/live?token=SECRET`, [], { maxAttempts: 0 });
    await once(socket, 'close');
    await program.prints(/"end".*\n/);
    expect(program.output.replaceAll('\n', '')).not.toMatch(/SECRET|\p{Cc}/u);
    expect(entries().find(({ event }) => event === 'end')).toMatchObject({
      upstream: `${upstreamUrl()}/live`,
      text: 'bye\u001b[2J\n\u009b31m ?…',
    });
  });

  it('says what is wrong with its file, and exits with 2', async () => {
    const path = join(folder, 'gateway.json');
    writeFileSync(path, JSON.stringify({ upstream: upstreamUrl(), maxConnections: 'many' }));
    program = new Program(process.execPath, [MAIN, 'gateway', '--config', path]);
    expect(await program.exit()).toBe(2);
    expect(program.errors).toMatch(
      /^wirebeat: \S+gateway\.json: Expected `maxConnections` to be .*, got `"many"` \(string\)\n$/,
    );
  });
});
