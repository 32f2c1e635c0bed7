// Measures how much a heartbeat adds to the memory of an idle connection: heap and external memory of a
// server with real `ws` sockets that already have listeners, before and after the heartbeat is
// attached. The clients are a separate process. Engine.IO brings its own sockets and is compared with
// bare ones.
import { added, whole } from './load/memory.mjs';
import { median } from './measure.mjs';
import { report } from './report.mjs';

const COUNT = process.argv.includes('--full') ? 8_192 : 2_048;
const RUNS = process.argv.includes('--full') ? 5 : 1;

const BUDGET = 170;
const BEATS_BUDGET = 220;
const EIO = { path: '/engine.io/?EIO=4&transport=websocket' };

const SUBJECTS = {
  nothing: () => added({ subject: 'nothing', count: COUNT }),
  wirebeat: () => added({ subject: 'wirebeat', count: COUNT }),
  'wirebeat, of clients that send beats': () =>
    added({ subject: 'wirebeat', count: COUNT, clients: { says: '\u0005wb.1;v=1' } }),
  "the README's recipe": () => added({ subject: 'readme', count: COUNT }),
  'a timer each': () => added({ subject: 'a timer each', count: COUNT }),
  'bare sockets': () => whole({ subject: 'nothing', count: COUNT }),
  'engine.io': () => whole({ subject: 'engine.io', count: COUNT, clients: EIO }),
};

const bytes = Object.fromEntries(Object.keys(SUBJECTS).map((name) => [name, []]));
for (let run = 0; run < RUNS; run += 1) {
  for (const [name, measure] of Object.entries(SUBJECTS)) bytes[name].push(await measure());
}
const of = (name) => median(bytes[name]) - median(bytes.nothing); // all have received one more frame
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
  row(
    'the same, of clients that send beats',
    of('wirebeat, of clients that send beats'),
    BEATS_BUDGET,
  ),
  row("the README's recipe", of("the README's recipe")),
  row('a timer each', of('a timer each')),
  row('engine.io, above bare sockets', median(bytes['engine.io']) - median(bytes['bare sockets'])),
]);
