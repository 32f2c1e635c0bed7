// A server that watches over its connections. Says by IPC where it listens and which connections died and ended.
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocketServer } from 'ws';

const [port, pingInterval, pingTimeout] = process.argv.slice(2).map(Number);
const server = new WebSocketServer({ host: '0.0.0.0', port });
const heartbeat = attachHeartbeat(server, { pingInterval, pingTimeout });
server.on('listening', () => process.send({ name: 'listening' }));
server.on('connection', (socket) => socket.on('error', () => {}));
for (const name of ['dead', 'end']) heartbeat.on(name, () => process.send({ name }));
process.on('disconnect', () => process.exit());
