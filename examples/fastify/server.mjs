// @fastify/websocket has a WebSocketServer of `ws` inside: that is what the heartbeat is attached to.
// `PORT=0` takes any that is free.
import websocket from '@fastify/websocket';
import { attachHeartbeat } from '@wirebeat/server';
import fastify from 'fastify';

const app = fastify();
await app.register(websocket);
const heartbeat = attachHeartbeat(app.websocketServer);

app.get('/', (_, reply) => reply.send('pages\n'));
app.get('/live', { websocket: true }, (socket) => {
  socket.on('error', () => {}); // its `close` follows
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

const url = await app.listen({ port: Number(process.env.PORT ?? 8080), host: '127.0.0.1' });
console.log(url);
process.once('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  await app.close();
});
