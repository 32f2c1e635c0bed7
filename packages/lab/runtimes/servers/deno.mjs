import process from 'node:process';
import { DenoHeartbeat } from '@wirebeat/server/deno';
import { Control, optionsOf } from './control.mjs';

const heartbeat = new DenoHeartbeat(optionsOf(Number(process.argv[2])));
const control = new Control(heartbeat);

const onListen = ({ port }) => console.log(port);
Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, async (request) => {
  if (request.headers.get('upgrade') !== 'websocket') {
    return new Response(await control.answer(request.url));
  }
  // Off, so that the suite shows what the heartbeat finds by itself.
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  heartbeat.attach(socket, request);
  socket.addEventListener('open', () => control.sockets.add(socket));
  socket.addEventListener('close', () => control.sockets.delete(socket));
  socket.addEventListener('error', () => {});
  socket.addEventListener('message', ({ data }) => control.received(socket, data));
  return response;
});
