// Express for the pages, `ws` for the sockets, on one port. `PORT=0` takes any that is free.
import { attachHeartbeat } from '@wirebeat/server';
import express from 'express';
import { WebSocketServer } from 'ws';

const app = express();
app.get('/', (_, response) => response.send('pages\n'));

const server = app.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
const sockets = new WebSocketServer({ server });
const heartbeat = attachHeartbeat(sockets);

// How the connections are: for people, behind a login of your own.
app.get('/connections', (_, response) => {
  const all = [...heartbeat.connections.values()];
  response.json(all.map(({ status, applicationLatency }) => ({ status, applicationLatency })));
});

sockets.on('connection', (socket) => {
  socket.on('error', () => {}); // its `close` follows
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
process.once('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  server.close();
  sockets.close();
});
