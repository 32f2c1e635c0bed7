// Socket.IO and a server with a heartbeat on one HTTP server, routed as docs/how-to/attach-to-a-server.md
// says.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat as attachToServer } from '@wirebeat/server';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

const UNCLAIMED = 100; // after so long Socket.IO destroys an upgrade that nobody has answered

async function serve() {
  const http = createServer();
  const socketIo = new Server(http, { destroyUpgradeTimeout: UNCLAIMED });
  socketIo.on('connection', (socket) => socket.on('hello', (answer) => answer('from Socket.IO')));
  const server = new WebSocketServer({ noServer: true });
  const heartbeat = attachToServer(server);
  server.on('connection', (socket) => socket.on('message', () => socket.send('from ws')));
  http.on('upgrade', (request, tcp, head) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname !== '/live') return; // Socket.IO has a listener of its own
    server.handleUpgrade(request, tcp, head, (socket) => {
      server.emit('connection', socket, request);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    heartbeat.detach();
    for (const socket of server.clients) socket.terminate();
    await socketIo.close();
  });
  return { heartbeat, socketIo, url: `127.0.0.1:${(http.address() as AddressInfo).port}` };
}

it('serves clients of both on one HTTP server, each on its own path', async () => {
  const { heartbeat, url } = await serve();
  const theirs = io(`http://${url}`, { transports: ['websocket'] });
  onTestFinished(() => void theirs.close());
  const ours = new ReconnectingWebSocket(`ws://${url}/live`);
  onTestFinished(() => ours.close());
  ours.send('hello');
  const [{ data }] = (await once(ours, 'message')) as [MessageEvent];
  expect(data).toBe('from ws');
  expect(await theirs.emitWithAck('hello')).toBe('from Socket.IO');
  await sleep(5 * UNCLAIMED);
  expect(ours.readyState).toBe(ours.OPEN);
  expect(theirs.connected).toBe(true);
  expect(heartbeat.connections.size).toBe(1); // those of Socket.IO are not ours
  const plain = new WebSocket(`ws://${url}/live`);
  onTestFinished(() => plain.terminate());
  await expect(
    once(plain, 'open').then(() => attachHeartbeat(plain).ping()),
  ).resolves.toBeGreaterThan(0);
});

it('refuses a Socket.IO server in place of a WebSocketServer', async () => {
  const { socketIo } = await serve();
  expect(() => attachToServer(socketIo as never)).toThrow('not that of Socket.IO');
  // @ts-expect-error: it does not compile either
  expect(() => attachToServer(socketIo)).toThrow('WebSocketServer');
});
