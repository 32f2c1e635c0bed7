// What a heartbeat adds to the memory of an idle connection: heap and external memory of a server with
// real sockets of `ws` on which the application listens already, before and after they are watched.
// Its clients are another process. Engine.IO brings its own sockets: it is held against bare ones.
import { startProcess } from './load/process.mjs';
import { median } from './measure.mjs';
import { report } from './report.mjs';

const COUNT = process.argv.includes('--full') ? 8_192 : 2_048;
const WARM = 256; // of them, before it is looked: see idle-server.mjs
const RUNS = process.argv.includes('--full') ? 5 : 1;
const INTERVAL = 30_000; // nothing is due while it is measured
const SETTLE = 1_000; // until the first pongs have come, and what they left is gone

const FLAGS = ['--expose-gc', '--no-opt', '--no-sparkplug']; // compiled code would count as theirs

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE));
const BUDGET = 640; // to become 400
const EIO = { path: '/engine.io/?EIO=4&transport=websocket' };

/** Calls `act` with a server process and as many clients as are counted. */
async function withServer(subject, clients, act) {
  const options = { subject, interval: INTERVAL };
  const server = await startProcess('idle-server.mjs', options, FLAGS);
  try {
    const alone = await server.ask('look');
    const peers = await startProcess('clients.mjs', {
      port: server.answer,
      count: COUNT,
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
const added = (subject, clients) => () =>
  withServer(subject, clients, async (server, _alone, peers) => {
    await server.ask('warm');
    await peers.ask('say');
    await settle();
    const before = await server.ask('look');
    await server.ask('watch');
    await peers.ask('say');
    await settle();
    return ((await server.ask('look')) - before) / (COUNT - WARM);
  });

/** Bytes a connection of everything, its sockets as well. */
const whole = (subject, clients) => () =>
  withServer(
    subject,
    clients,
    async (server, alone) => ((await server.ask('look')) - alone) / COUNT,
  );

const SUBJECTS = {
  nothing: added('nothing'),
  wirebeat: added('wirebeat'),
  'wirebeat, of clients that send beats': added('wirebeat', { says: '\u0005wb.1;v=1' }),
  "the README's recipe": added('readme'),
  'a timer each': added('a timer each'),
  'bare sockets': whole('nothing'),
  'engine.io': whole('engine.io', EIO),
};

const bytes = Object.fromEntries(Object.keys(SUBJECTS).map((name) => [name, []]));
for (let run = 0; run < RUNS; run += 1) {
  for (const [name, measure] of Object.entries(SUBJECTS)) bytes[name].push(await measure());
}
const of = (name) => median(bytes[name]) - median(bytes.nothing); // all have seen one frame more
const wirebeat = of('wirebeat');
const row = (what, measured, budget) => ({
  what,
  measured,
  unit: 'bytes',
  budget,
  note: `wirebeat takes ${(wirebeat / measured).toFixed(2)} of it`,
});
report(`What does a heartbeat add to an idle connection? (${COUNT} connections)`, [
  row('wirebeat', wirebeat, BUDGET),
  row('the same, of clients that send beats', of('wirebeat, of clients that send beats')),
  row("the README's recipe", of("the README's recipe")),
  row('a timer each', of('a timer each')),
  row('engine.io, above bare sockets', median(bytes['engine.io']) - median(bytes['bare sockets'])),
]);
