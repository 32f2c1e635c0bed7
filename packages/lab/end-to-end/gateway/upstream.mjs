// An echo server without heartbeats. Says by IPC where it listens; closes all connections on any message.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: process.argv[2], port: 0 });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data) => socket.send(String(data)));
});
server.on('listening', () => process.send({ name: 'listening', port: server.address().port }));
process.on('message', () => {
  for (const socket of server.clients) socket.close(1008, 'no more');
});
process.on('disconnect', () => process.exit());
