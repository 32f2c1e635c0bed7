// A WebSocket server of crossws, on Node, Bun or Deno. `PORT=0` takes any port that is free.
import process from 'node:process';
import { CrosswsHeartbeat } from '@wirebeat/server/crossws';
import { serve } from 'crossws/server';

const heartbeat = new CrosswsHeartbeat();
heartbeat.on('dead', ({ silentFor }) =>
  console.log(`gave up one that was silent for ${silentFor} ms`),
);

const server = serve({
  port: Number(process.env.PORT ?? 8080),
  hostname: '127.0.0.1',
  silent: true,
  gracefulShutdown: false,
  fetch: () => new Response('pages\n'),
  websocket: {
    idleTimeout: 0, // one heartbeat is enough
    ...heartbeat.hooks({ message: (peer, message) => peer.send(message.text()) }),
  },
});
await server.ready();
console.log(`http://127.0.0.1:${new URL(server.url).port}`);

process.once('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  await server.close(true);
  process.exit();
});
