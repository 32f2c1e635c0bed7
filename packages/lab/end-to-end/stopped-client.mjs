// A Node client of many sockets, to be stopped and continued by the test that starts it. Arguments: the
// address, how many sockets, and the time between two of them. Tells its parent a JSON line of what
// each socket meets.
import { attachHeartbeat } from '@wirebeat/client';
import { WebSocket } from 'ws';

const [url, count, spread] = process.argv.slice(2);
const tell = (fact) => process.stdout.write(`${JSON.stringify({ ...fact, at: Date.now() })}\n`);

for (let index = 0; index < Number(count); index += 1) {
  setTimeout(() => {
    const socket = new WebSocket(url);
    const heartbeat = attachHeartbeat(socket, { pingInterval: 2_000, pingTimeout: 2_000 });
    const { detectionBound } = heartbeat;
    heartbeat.on('ping', () => tell({ index, name: 'ping' }));
    heartbeat.on('pong', () => tell({ index, name: 'pong', detectionBound }));
    heartbeat.on('stall', ({ lateBy }) => tell({ index, name: 'stall', lateBy }));
    heartbeat.on('dead', ({ silentFor }) => tell({ index, name: 'dead', silentFor }));
    socket.on('error', () => {});
  }, index * Number(spread));
}
