// A WebSocket server beside an HTTP server, on one port. `PORT=0` takes any that is free.
import { createServer } from 'node:http';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';

const server = createServer((_, response) => response.end('pages\n'));
const sockets = new WebSocketServer({ server });
const heartbeat = attachHeartbeat(sockets);

sockets.on('connection', (socket) => {
  socket.on('error', () => {}); // its `close` follows
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
heartbeat.on('dead', ({ silentFor }) =>
  console.log(`gave up one that was silent for ${silentFor} ms`),
);

server.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.once('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  server.close();
  sockets.close();
});
