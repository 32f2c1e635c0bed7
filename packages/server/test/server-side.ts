// A real `ws` server on loopback with a heartbeat, and clients of several manners.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import {
  type ClientOptions,
  WebSocket,
  WebSocketServer,
  type ServerOptions as WsOptions,
} from 'ws';
import type { ServerOptions } from '../src/attach.ts';
import { attachHeartbeat, type ServerHeartbeat } from '../src/attach.ts';
import type { Liveness } from '../src/liveness.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** What the server's application sees and what its heartbeat says, in order. */
export type Log = [name: string, detail?: unknown][];

export interface Stage {
  readonly server: WebSocketServer;
  readonly heartbeat: ServerHeartbeat<WebSocket>;
  readonly port: number;
  readonly log: Log;
}

export async function serve(
  options: ServerOptions = {},
  wsOptions: WsOptions = {},
): Promise<Stage> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...wsOptions });
  await once(server, 'listening');
  closers.push(() => {
    heartbeat.detach();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const log: Log = [];
  const heartbeat = attachHeartbeat(server, options);
  for (const name of ['suspect', 'dead'] as const) heartbeat.on(name, () => log.push([name]));
  heartbeat.on('end', ({ reason, code, text }) => log.push(['end', { reason, code, text }]));
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => log.push(['message', isBinary ? data : String(data)]));
    socket.on('ping', (data) => log.push(['ping', String(data)]));
    socket.on('pong', (data) => log.push(['pong', String(data)]));
  });
  return { server, heartbeat, port: (server.address() as AddressInfo).port, log };
}

/** Opens a client that knows nothing of heartbeats, and notes what it receives. */
export async function connect(
  { port }: { readonly port: number },
  options: ClientOptions = {},
): Promise<{ client: WebSocket; received: string[] }> {
  const client = new WebSocket(`ws://127.0.0.1:${port}`, options);
  closers.push(() => client.terminate());
  const received: string[] = [];
  client.on('message', (data) => received.push(String(data)));
  await once(client, 'open');
  return { client, received };
}

/** The only connection of a server, once it is there. */
export async function onlyConnection({ heartbeat, server }: Stage): Promise<Liveness> {
  if (server.clients.size === 0) await once(server, 'connection');
  const [connection] = heartbeat.connections.values();
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

/** Waits until `holds` does, for at most 5 s. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`never: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
