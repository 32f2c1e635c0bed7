// A server that sends whatever it likes and reads nothing cannot take up the memory of its clients.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { MS } from './allowance.ts';

const PROGRAM = fileURLToPath(new URL('flooded-client.mjs', import.meta.url));
const MEBIBYTE = 2 ** 20;
const LIMIT = 8 * MEBIBYTE;
/** Of each kind of message. */
const TIMES = 20_000;
/** How many are sent until it is waited that they have left. */
const BATCH = 1_000;

/** The messages of a flood, by their number. */
const FLOODS: ((n: number) => string)[] = [
  () => '\u0005wb',
  (n) => `\u0005wb.${n}`,
  (n) => `\u0005wb.${n};pingInterval=${1_000 + (n % 60_000)};pingTimeout=${1_000 + (n % 50_000)}`,
  (n) => `\u0005wb;retryAfter=${n}`,
  (n) => `\u0005wb;state=${n % 2 ? 'hidden' : 'visible'};key${'x'.repeat(n % 10)}=${n}`,
  () => '\u0006wb',
  (n) => `\u0006wb.${n.toString(36)};session=ok;by=gateway`,
  (n) => `\u0006wb.1;pingInterval=${n}`,
  (n) => `\u0005wb.${n} is no beat`,
];

let server: WebSocketServer;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
});

async function flood(socket: WebSocket): Promise<void> {
  for (let n = 0; n < TIMES; n++) {
    for (const message of FLOODS) socket.send(message(n));
    if (n % BATCH === 0) await new Promise((sent) => socket.send('\u0006wb', sent));
  }
  socket.send('over');
}

/** Floods a client. Resolves to how much its heap has grown, and to the bytes that it has not sent. */
async function floodClient(kind: string): Promise<{ grown: number; buffered: number }> {
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[WebSocket]>;
  const child = fork(PROGRAM, [kind, `ws://127.0.0.1:${port}`], {
    execArgv: ['--expose-gc'],
    timeout: 80_000 * MS,
  });
  const [socket] = await accepted;
  socket.on('error', () => {}); // the client goes without a word
  socket.pause();
  await once(child, 'message'); // it is ready
  const answer = once(child, 'message');
  await flood(socket);
  const [result] = await answer;
  socket.terminate();
  return result;
}

describe('a client that a server floods with beats of every kind, and that reads nothing', () => {
  it.each(['attached', 'reconnecting'])(
    'keeps its heap within 8 MB: %s',
    async (kind) => {
      const { grown, buffered } = await floodClient(kind);
      expect(buffered).toBeGreaterThan(MEBIBYTE); // nothing has left meanwhile
      expect(grown).toBeLessThan(LIMIT);
    },
    90_000 * MS,
  );

  it(
    'would not without a bound: one that answers each ping grows',
    async () => {
      const { grown } = await floodClient('careless');
      expect(grown).toBeGreaterThan(LIMIT);
    },
    90_000 * MS,
  );
});
