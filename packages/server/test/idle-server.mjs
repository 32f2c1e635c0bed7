// A server with a heartbeat and one idle connection, in a process that is to end by itself. Argument:
// what becomes of the connection, `destroyed` or `open`; an open one is taken out of the loop's count,
// so that nothing but the heartbeat's timers could keep the process.
import { once } from 'node:events';
import { attachHeartbeat } from '@wirebeat/server';
import { WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const heartbeat = attachHeartbeat(server);
await once(server, 'listening');
const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
await new Promise((resolve) => heartbeat.once('pong', resolve));

server.close();
if (process.argv[2] === 'destroyed') client.terminate();
else for (const socket of [client, ...server.clients]) socket._socket.unref();
process.on('exit', () => console.log(`${heartbeat.connections.size} watched`));
