// A client that comes back. Tells by IPC of what it finds, with its detectionBound.
import { ReconnectingWebSocket } from '@wirebeat/client';

const [url, pingInterval, pingTimeout] = process.argv.slice(2);
const socket = new ReconnectingWebSocket(url, [], {
  makeBeforeBreak: false, // the verdict is tested: a second connection would come before it
  pingInterval: Number(pingInterval),
  pingTimeout: Number(pingTimeout),
  connectTimeout: 2_000,
  backoff: { minDelay: 200, maxDelay: 1_000 },
});
for (const name of ['open', 'pong', 'stall', 'dead', 'close']) {
  socket.addEventListener(name, ({ detail }) =>
    process.send({ name, at: performance.now(), bound: socket.detectionBound, ...detail }),
  );
}
process.on('disconnect', () => process.exit());
