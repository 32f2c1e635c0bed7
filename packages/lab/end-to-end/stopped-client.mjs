// A Node client of many sockets, to be stopped and continued by the test that starts it. Argument: the
// address. Tells its parent a JSON line of what each socket met.
import { attachHeartbeat } from '@wirebeat/client';
import { WebSocket } from 'ws';

const [url, count, spread] = process.argv.slice(2);
const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);

for (let index = 0; index < Number(count); index += 1) {
  setTimeout(() => {
    const socket = new WebSocket(url);
    const options = { pingInterval: 2_000, pingTimeout: 2_000 };
    const heartbeat = attachHeartbeat(socket, options);
    const { detectionBound } = heartbeat;
    heartbeat.once('pong', () => tell({ index, name: 'ready', detectionBound }));
    heartbeat.on('stall', ({ lateBy }) => tell({ index, name: 'stall', lateBy }));
    heartbeat.on('dead', ({ silentFor }) => tell({ index, name: 'dead', silentFor }));
    socket.on('error', () => {});
  }, index * Number(spread));
}
