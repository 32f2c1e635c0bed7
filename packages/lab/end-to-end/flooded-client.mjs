// A client of a server that floods it and reads nothing. Says how many bytes of heap that takes.
//
//   node --expose-gc flooded-client.mjs <attached|reconnecting|careless> <url>
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { WebSocket } from 'ws';

/** More than the kernel takes from a sender whose peer does not read. */
const CLOG = 32 * 2 ** 20;

const [, , kind, url] = process.argv;
const socket = kind === 'reconnecting' ? new ReconnectingWebSocket(url) : new WebSocket(url);
if (kind === 'attached') attachHeartbeat(socket);

socket.addEventListener('open', () => {
  socket.send(new Uint8Array(CLOG));
  setTimeout(() => {
    const before = heapUsed();
    socket.addEventListener('message', ({ data }) => {
      if (data === 'over') {
        process.send({ grown: heapUsed() - before, buffered: socket.bufferedAmount });
        process.exit();
      }
      // What `docs/protocol.md` gives as the five lines of a minimal peer.
      if (kind === 'careless' && data.startsWith('\u0005wb')) socket.send(`\u0006${data.slice(1)}`);
    });
    process.send('ready');
  }, 200);
});

function heapUsed() {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
