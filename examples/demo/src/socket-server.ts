// The WebSocket server, in a worker of its own: so that freezing it blocks its whole event loop,
// while the front that carries its connections goes on.
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';

/** How often each browser's WebSocket layer is asked, for the page's chart. */
const MEASURE_INTERVAL = 1_000;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
const heartbeat = attachHeartbeat(server, {
  pingInterval: 2_400,
  pingTimeout: 4_000,
  advertise: false, // the race is run at the defaults of the client
});

server.on('listening', () => {
  parentPort?.postMessage({ port: (server.address() as AddressInfo).port });
});

server.on('connection', (socket) => {
  socket.on('error', () => {}); // its `close` follows
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

setInterval(() => {
  for (const [socket, connection] of heartbeat.connections) {
    const tell = (transport: number) => socket.send(JSON.stringify({ transport }));
    connection.ping().then(tell, () => {}); // no answer, no point in the chart
  }
}, MEASURE_INTERVAL);

parentPort?.on('message', ({ freeze }: { freeze: number }) => {
  for (const socket of server.clients) socket.send(JSON.stringify({ freeze }));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, freeze);
});
