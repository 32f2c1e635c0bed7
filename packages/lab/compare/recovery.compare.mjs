// How long until a message arrives again after the link was cut and nobody said so?
//
// Each client sends a message a second. After some seconds its flow is cut silently: what was sent
// into it is acknowledged by the kernels and thrown away, new flows pass. Recovered is who gets any
// message that was sent after the cut to the server. All runs of all subjects go on at once.
import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { SUBJECTS } from './recovery-subjects.mjs';
import { printTable } from './table.mjs';

const RUNS = Number(process.env.COMPARE_RUNS ?? 20);
const PERIOD = 1_000; // between two messages
const SETTLED = 5_000; // socket.io has changed from polling to a WebSocket by then
const LIMIT = 120_000; // who has not recovered by then has not
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One client, one server, one proxy between them. Resolves to what happened. */
async function run(subject) {
  await pause(Math.random() * PERIOD); // the phases of all are spread
  const sent = [];
  const arrivals = new Map();
  const server = await subject.serve((text) => {
    if (!arrivals.has(text)) arrivals.set(text, performance.now());
  });
  const proxy = await TcpProxy.listen({ to: server.port });
  const client = subject.dial(proxy.port);
  const timer = setInterval(() => {
    sent.push(performance.now());
    try {
      client.send(String(sent.length));
    } catch {
      // lost, as its user would lose it
    }
  }, PERIOD);
  await pause(SETTLED + Math.random() * PERIOD);
  const cutAt = performance.now();
  proxy.cut();
  const first = () => [...arrivals].find(([text]) => sent[Number(text) - 1] > cutAt)?.[1];
  while (first() === undefined && performance.now() < cutAt + LIMIT) await pause(20);
  const recoveredAt = first();
  await pause(2 * PERIOD); // so that what is resent has arrived
  clearInterval(timer);
  const counted = sent.filter((at) => at < performance.now() - PERIOD).length;
  const lost = Array.from({ length: counted }, (_, n) => String(n + 1)).filter(
    (text) => !arrivals.has(text),
  ).length;
  client.end();
  server.end();
  await proxy.close();
  return {
    recovery: recoveredAt === undefined ? Number.POSITIVE_INFINITY : recoveredAt - cutAt,
    lost,
  };
}

const rows = await Promise.all(
  SUBJECTS.map(async (subject) => {
    const runs = await Promise.all(Array.from({ length: RUNS }, () => run(subject)));
    const times = runs.map(({ recovery }) => recovery).sort((a, b) => a - b);
    const lost = runs.reduce((sum, each) => sum + each.lost, 0) / RUNS;
    return { name: subject.name, median: times[RUNS >> 1], worst: times.at(-1), lost };
  }),
);

const seconds = (ms) =>
  ms === Number.POSITIVE_INFINITY ? `> ${LIMIT / 1_000} s` : `${(ms / 1_000).toFixed(1)} s`;
const [ours, ...others] = rows;
const best = Math.min(...others.slice(1).map(({ median }) => median));
printTable(
  `Recovery after a silent cut, a message a second, ${RUNS} runs each`,
  ['', 'median', 'worst', '× ours', 'lost messages a run'],
  rows.map(({ name, median, worst, lost }) => [
    name,
    seconds(median),
    seconds(worst),
    median < LIMIT ? (median / ours.median).toFixed(1) : `> ${(LIMIT / ours.median).toFixed(0)}`,
    lost.toFixed(1),
  ]),
);
const kept = rows[1];
const demands = [
  [ours.median <= 3_000 && ours.worst <= 5_000, 'median of 3 s, worst of 5 s'],
  [
    kept.median <= 3_000 && kept.worst <= 5_000 && kept.lost === 0,
    'the same and nothing lost, with resend',
  ],
  [best >= 10 * ours.median, 'ten times ahead of the best peer'],
];
for (const [holds, what] of demands) console.log(`${holds ? 'ok  ' : 'MISSED'} ${what}`);
process.exitCode = demands.every(([holds]) => holds) ? 0 : 1;
process.exit(); // a peer on a dead link may hold the process for a minute
