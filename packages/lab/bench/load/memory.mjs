// Bytes that connections take of a server, whose clients are another process.
import { startProcess } from './process.mjs';

const WARM = 256; // of them, before it is looked: see idle-server.mjs
const INTERVAL = 30_000; // nothing is due while it is measured
const SETTLE = 1_000; // until the first pongs have come, and what they left is gone

const FLAGS = ['--expose-gc', '--no-opt', '--no-sparkplug']; // compiled code would count as theirs

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE));

/** Calls `act` with a server process and as many clients as are counted. */
async function withServer({ subject, count, clients }, act) {
  const options = { subject, interval: INTERVAL };
  const server = await startProcess('idle-server.mjs', options, FLAGS);
  try {
    const alone = await server.ask('look');
    const peers = await startProcess('clients.mjs', {
      port: server.answer,
      count,
      ...clients,
    });
    try {
      await settle();
      return await act(server, alone, peers);
    } finally {
      await peers.end();
    }
  } finally {
    await server.end();
  }
}

/** Bytes a connection that the watch adds to sockets that are there. */
export function added(asked) {
  return withServer(asked, async (server, _alone, peers) => {
    await server.ask('warm');
    await peers.ask('say');
    await settle();
    const before = await server.ask('look');
    await server.ask('watch');
    await peers.ask('say');
    await settle();
    return ((await server.ask('look')) - before) / (asked.count - WARM);
  });
}

/** Bytes a connection of everything, its sockets as well. */
export function whole(asked) {
  return withServer(asked, async (server, alone) => {
    return ((await server.ask('look')) - alone) / asked.count;
  });
}
