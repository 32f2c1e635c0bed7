// How does a client that sends 100 000 pings per second and reads nothing affect other clients? Server,
// flood and other clients are separate processes. Measures the latency of the other clients'
// application pings, before and during the flood.
import { Program } from '@wirebeat/lab/fleet/program';
import { report } from './report.mjs';

const RATE = 100_000;
const OTHERS = 100;
const SAMPLES = 25; // of each: the p99 stands on 25 that are slower
const LIMIT = 60_000;

const p99 = (latencies) => latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)];

async function run(kind, tier) {
  const server = new Program('@wirebeat/lab/fleet/server', { kind });
  await server.until(() => server.of('listening').length > 0, LIMIT);
  const { port } = server.of('listening')[0].detail;
  const others = new Program('@wirebeat/lab/fleet/clients', {
    ...{ kind: 'speaking', name: 'other', count: OTHERS, within: 100, port },
  });
  await others.until(() => others.clientsWith('opened').size === OTHERS, LIMIT);
  await others.ask('measure', { samples: SAMPLES }); // warm
  const { memory: calm } = await server.ask('count');
  const before = p99(await others.ask('measure', { samples: SAMPLES }));
  const flood = new Program('@wirebeat/lab/fleet/flood', { port, rate: RATE, tier });
  await server.until(() => server.clientsWith('opened').has('/flood'), LIMIT);
  const during = p99(await others.ask('measure', { samples: SAMPLES }));
  const { memory } = await server.ask('count');
  const { shownOut } = await flood.ask('end');
  await Promise.all([flood.end(), others.end(), server.end()]);
  return { before, during, grown: (memory - calm) / 1_048_576, shownOut };
}

const rows = [];
for (const [name, kind, tier] of [
  ['application pings', 'wirebeat', 'application'],
  ['protocol Pings', 'wirebeat', 'transport'],
  ['application pings, a server that answers each', 'echo', 'application'],
]) {
  const { before, during, grown, shownOut } = await run(kind, tier);
  const isOurs = kind === 'wirebeat';
  rows.push({
    what: `${name}: p99 latency of the others, of that before`,
    ...{ measured: during / before, unit: 'times' },
    ...(isOurs && { budget: 2 }),
    note: `${before.toFixed(2)} ms, then ${during.toFixed(2)} ms; shown out ${shownOut} times`,
  });
  rows.push({
    what: `${name}: memory`,
    ...{ measured: grown, unit: 'MB' },
    ...(isOurs && { budget: 4 }),
  });
}
report('What do others notice of a flood?', rows);
