// A client of the server at the URL that it is given. Tells of what happens, one name a line.
import { ReconnectingWebSocket } from '@wirebeat/client';

const socket = new ReconnectingWebSocket(process.argv[2], [], {
  pingInterval: 500,
  pingTimeout: 2_000,
});
for (const name of ['open', 'pong', 'dead', 'close', 'stall']) {
  socket.addEventListener(name, () => console.log(name));
}
