// The WebSocket servers, in a worker of their own: so that freezing it blocks their whole event loop,
// while the front that carries their connections goes on.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';

/** How often each browser's WebSocket layer is asked, for the page's chart. */
const MEASURE_INTERVAL = 1_000;

const http = createServer();
/** For the page with the latencies: with timing that shows faults soon. */
const server = new WebSocketServer({ noServer: true });
const heartbeat = attachHeartbeat(server, {
  pingInterval: 2_400,
  pingTimeout: 4_000,
  advertise: false,
});
/** For the race: at its defaults. */
const raceServer = new WebSocketServer({ noServer: true });
attachHeartbeat(raceServer);
const serverOf = new Map([
  ['/socket', server],
  ['/race', raceServer],
]);

http.on('upgrade', (request, socket, head) => {
  const chosen = serverOf.get(request.url?.split('?', 1)[0] ?? '');
  // Otherwise it is for socket.io.
  chosen?.handleUpgrade(request, socket, head, (opened) => {
    chosen.emit('connection', opened, request);
  });
});

for (const each of serverOf.values()) {
  each.on('connection', (socket) => {
    socket.on('error', () => {}); // its `close` follows
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}

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

/** Starts a server of socket.io at its defaults. Resolves to whether socket.io is installed. */
async function startSocketIo(): Promise<boolean> {
  try {
    const { Server } = await import('socket.io');
    new Server(http, { serveClient: false }).on('connection', (socket) => {
      socket.on('race', (text: string) => socket.emit('race', text));
    });
    return true;
  } catch {
    return false; // the command line is installed without it
  }
}

const hasSocketIo = await startSocketIo();
http.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage({ port: (http.address() as AddressInfo).port, hasSocketIo });
});
