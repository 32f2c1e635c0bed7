import { createServer } from 'node:http';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';
import { Control, optionsOf } from './control.mjs';

const server = createServer(async (request, response) => {
  response.end(await control.answer(request.url));
});
const sockets = new WebSocketServer({ server });
const control = new Control(attachHeartbeat(sockets, optionsOf(Number(process.argv[2]))));
sockets.on('connection', (socket) => {
  control.sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => control.sockets.delete(socket));
  socket.on('message', (data) => control.received(socket, String(data)));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
