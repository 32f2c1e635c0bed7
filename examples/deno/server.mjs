// A WebSocket server of Deno. `PORT=0` takes any port that is free.
import { DenoHeartbeat } from '@wirebeat/server/deno';

const heartbeat = new DenoHeartbeat();
heartbeat.on('dead', ({ silentFor }) =>
  console.log(`gave up one that was silent for ${silentFor} ms`),
);

const options = {
  port: Number(Deno.env.get('PORT') ?? 8080),
  hostname: '127.0.0.1',
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}`),
};
const server = Deno.serve(options, (request) => {
  if (request.headers.get('upgrade') !== 'websocket') return new Response('pages\n');
  const { socket, response } = Deno.upgradeWebSocket(request);
  heartbeat.attach(socket, request);
  socket.addEventListener('message', ({ data }) => socket.send(data));
  return response;
});

Deno.addSignalListener('SIGTERM', async () => {
  await heartbeat.drain({ within: 1_000 });
  await server.shutdown();
  Deno.exit();
});
