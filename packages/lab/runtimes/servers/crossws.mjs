// One program for Node, Bun and Deno: crossws chooses its adapter by the runtime.
import process from 'node:process';
import { CrosswsHeartbeat } from '@wirebeat/server/crossws';
import { serve } from 'crossws/server';
import { Control, optionsOf } from './control.mjs';

const heartbeat = new CrosswsHeartbeat(optionsOf(Number(process.argv[2])));
const control = new Control(heartbeat);

const server = serve({
  port: 0,
  hostname: '127.0.0.1',
  silent: true,
  fetch: async (request) => new Response(await control.answer(request.url)),
  websocket: {
    idleTimeout: 0,
    ...heartbeat.hooks({
      open: (peer) => void control.sockets.add(peer),
      close: (peer) => void control.sockets.delete(peer),
      message: (peer, message) => control.received(peer, message.text()),
    }),
  },
});
await server.ready();
console.log(new URL(server.url).port);
