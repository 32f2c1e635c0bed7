// A WebSocket server of Bun. `PORT=0` takes any port that is free.
import { BunHeartbeat } from '@wirebeat/server/bun';

const heartbeat = new BunHeartbeat();
heartbeat.on('dead', ({ silentFor }) =>
  console.log(`gave up one that was silent for ${silentFor} ms`),
);

const server = Bun.serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: '127.0.0.1',
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('pages\n')),
  websocket: heartbeat.websocket({ message: (socket, message) => void socket.send(message) }),
});
console.log(`http://127.0.0.1:${server.port}`);

process.once('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  await server.stop();
  process.exit();
});
