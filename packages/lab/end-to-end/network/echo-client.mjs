// Asks every 50 ms, and tells by IPC of each answer, and of the end of its connection.
import { connect } from 'node:net';

const [port, host] = process.argv.slice(2);
const socket = connect({ port: Number(port), host }, () => process.send('connected'));
let asked = 0;
setInterval(() => {
  asked += 1;
  socket.write(`${asked}\n`);
}, 50);
socket.on('data', (data) => process.send(String(data).trim().split('\n').at(-1)));
socket.on('error', ({ code }) => process.send(code));
process.on('disconnect', () => process.exit());
