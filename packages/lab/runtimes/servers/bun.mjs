import { BunHeartbeat } from '@wirebeat/server/bun';
import { Control, optionsOf } from './control.mjs';

const heartbeat = new BunHeartbeat(optionsOf(Number(process.argv[2])));
const control = new Control(heartbeat);

function fetch(request, server) {
  return server.upgrade(request) ? undefined : control.answer(request.url).then(respond);
}
const respond = (body) => new Response(body);

const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch,
  websocket: heartbeat.websocket({
    open: (socket) => void control.sockets.add(socket),
    close: (socket) => void control.sockets.delete(socket),
    message: (socket, data) => control.received(socket, data),
  }),
});

// The same server with Bun's own detection alone, for the comparison.
const own = new Set();
const plain = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request, server) => (server.upgrade(request) ? undefined : respond(String(own.size))),
  websocket: {
    idleTimeout: 8, // s: the shortest that Bun has
    open: (socket) => void own.add(socket),
    close: (socket) => void own.delete(socket),
    message() {},
  },
});
setInterval(() => {
  for (const socket of own) socket.send('tick');
}, 200);
console.log(port, plain.port);
