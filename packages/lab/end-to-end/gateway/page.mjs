// A page on the command line. Says by IPC when it is open; closes the connection on any message.
import { ReconnectingWebSocket } from '@wirebeat/client';

const { url, options, chatter } = JSON.parse(process.argv[2]);
const socket = new ReconnectingWebSocket(url, [], { maxAttempts: 0, ...options });
socket.addEventListener('open', () => process.send({ name: 'open' }));
if (chatter !== undefined) {
  setInterval(() => socket.readyState === socket.OPEN && socket.send('hello'), chatter);
}
process.on('message', () => socket.close(1000, 'bye'));
process.on('disconnect', () => process.exit());
