// Says by IPC where it listens, and says everything back to whoever says it.
import { createServer } from 'node:net';

const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
server.listen(Number(process.argv[2]), '0.0.0.0', () => process.send('listening'));
process.on('disconnect', () => process.exit());
