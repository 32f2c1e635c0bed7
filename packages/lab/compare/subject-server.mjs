// The server of one subject, in a process of its own: tells the one that began it where it listens, and
// when each connection came.
import { setTimeout as pause } from 'node:timers/promises';
import { SUBJECTS } from './subjects.mjs';

const [name, port] = process.argv.slice(2);
const subject = SUBJECTS.find((each) => each.name === name);
const connected = () => process.send({ connectedAt: Date.now() });
const server = await listen();
process.send({ port: server.port });
process.on('disconnect', () => process.exit());

/** A port is free again when the last one has quite gone. */
async function listen(attempt = 1) {
  try {
    return await subject.serve({ connected, port: Number(port) });
  } catch (error) {
    if (attempt === 50) throw error;
    await pause(20);
    return listen(attempt + 1);
  }
}
