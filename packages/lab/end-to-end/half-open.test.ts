// The link dies and nobody says so: no FIN, no RST, and what is sent is accepted for ever.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReconnectingWebSocket, type WebSocketConstructor } from '@wirebeat/client';
import { attachHeartbeat, type ConnectionEnd } from '@wirebeat/server';
import { WebSocket as UndiciWebSocket } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../faults/tcp-proxy.ts';

const constructors: [string, WebSocketConstructor][] = [
  ['ws', NodeWebSocket as unknown as WebSocketConstructor],
  ['undici', UndiciWebSocket as unknown as WebSocketConstructor],
];
const timing = { pingInterval: 1_000, pingTimeout: 1_000 };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const heartbeat = attachHeartbeat(server, { pingInterval: 1_200, pingTimeout: 1_000 });
  const ends: ConnectionEnd[] = [];
  heartbeat.on('end', (end) => ends.push(end));
  server.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(`echo ${data}`));
  });
  await once(server, 'listening');
  const proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
  closers.push(
    () => server.close(),
    () => {
      for (const socket of server.clients) socket.terminate();
    },
    () => proxy.close(),
  );
  return { proxy, heartbeat, ends };
}

describe.each(constructors)('a link that is cut silently, with %s', (_, WebSocket) => {
  it('is dead within the bound, left at once, and replaced', async () => {
    const { proxy, heartbeat, ends } = await start();
    const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${proxy.port}`, [], {
      ...timing,
      WebSocket,
    });
    closers.push(() => socket.close());
    const events: { name: string; at: number; delay?: number; code?: number }[] = [];
    const note = (name: string, detail = {}) =>
      events.push({ name, at: performance.now(), ...detail });
    socket.addEventListener('open', () => note('open'));
    socket.addEventListener('dead', () => note('dead'));
    socket.addEventListener('close', ({ code }) => note('close', { code }));
    socket.addEventListener('retry', ({ detail }) => note('retry', { delay: detail.delay }));
    socket.addEventListener('message', ({ data }) => note(`message ${data}`));
    await once(socket, 'pong');
    const bound = socket.detectionBound ?? 0;
    const [connection] = heartbeat.connections.values();
    const serverBound = connection?.detectionBound ?? 0;

    const cutAt = performance.now();
    proxy.cut();
    socket.send('into the void');
    await once(socket, 'open');
    socket.send('here again');
    await once(socket, 'message');

    const [, dead, close, retry, reopened] = events;
    expect(events.map(({ name }) => name)).toEqual([
      'open',
      'dead',
      'close',
      'retry',
      'open',
      'message echo here again',
    ]);
    expect((dead?.at ?? 0) - cutAt).toBeLessThanOrEqual(bound);
    expect(close?.code).toBe(3008);
    expect(retry?.delay).toBeLessThan(500);
    const back = (reopened?.at ?? 0) - (dead?.at ?? 0);
    expect(back).toBeLessThanOrEqual((retry?.delay ?? 0) + 500);

    // The server ends the old connection too, once, and nothing of it reaches the new one.
    await sleep(Math.max(0, serverBound - (performance.now() - cutAt)) + 100);
    expect(ends.map(({ reason }) => reason)).toEqual(['ping-timeout']);
    expect(heartbeat.connections.size).toBe(1);
    expect(events).toHaveLength(6);
    expect(socket.readyState).toBe(socket.OPEN);
  });
});
