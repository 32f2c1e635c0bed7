// How long until there is a working link again, where nobody sends anything?
//
// Nobody sends, neither client nor server: only a heartbeat can tell. The link is cut at any phase of
// it. Recovered is who is connected anew. All runs of all subjects go on at once.
import { conclude } from './conclusion.mjs';
import { recoveryOf, seconds, spread, timesOf } from './silent-cut.mjs';
import { AS_OURS, AT_DEFAULTS, packagesOf } from './subjects.mjs';
import { amount } from './trial.mjs';

const RUNS = amount(20, 2);
const SETTLED = 5_000;
const PHASES = amount(45_000, 1_000); // the longest cycle of ping and pong among them, but for MQTT's
const PING_INTERVAL = 25_000; // our default

async function run({ serve, dial }) {
  const connects = [];
  return recoveryOf({
    server: await serve({ connected: () => connects.push(performance.now()) }),
    dial,
    settle: SETTLED + Math.random() * PHASES,
    recoveredAt: (cutAt) => connects.find((at) => at > cutAt),
  });
}

const asked = AT_DEFAULTS.filter(({ name }) => !name.includes('MQTT'));
const rows = await Promise.all(
  [...asked, ...AS_OURS].map(async (subject) => {
    const times = await Promise.all(Array.from({ length: RUNS }, () => run(subject)));
    return { name: subject.name, ...spread(times) };
  }),
);
const [ours, ...peers] = rows;
conclude('unattended', {
  heads: [`${RUNS} runs each`, 'median', 'worst', '× ours'],
  rows: rows.map(({ name, median, worst }) => [
    name,
    seconds(median),
    seconds(worst),
    timesOf(ours.median, median),
  ]),
  demands: [
    [ours.worst <= PING_INTERVAL + 3_000, 'a working link within `pingInterval` + 3 s'],
    [peers.every(({ median }) => median >= ours.median), 'no peer is sooner'],
  ],
  packages: packagesOf(asked),
});
