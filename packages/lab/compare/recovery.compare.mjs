// How long does it take until messages arrive again after a silent cut?
//
// Each client sends one message per second. It has recovered when the server receives any message sent
// after the cut. All runs of all subjects are concurrent with staggered phases, so the comparison takes
// little more than the two minutes after which a client counts as not recovered.
import { conclude } from './conclusion.mjs';
import { pause, recoveryOf, seconds, spread, timesOf } from './silent-cut.mjs';
import { packagesOf, SUBJECTS } from './subjects.mjs';
import { amount } from './trial.mjs';

const RUNS = amount(20, 2);
const PERIOD = 1_000; // ms between two messages
const SETTLED = 5_000; // socket.io has upgraded from polling to a WebSocket by then

/** Runs one client and one server with a proxy between them. Resolves to the result. */
async function run({ serve, dial }) {
  await pause(Math.random() * PERIOD);
  const sent = [];
  const arrivals = new Map();
  const arrived = (text) => {
    if (!arrivals.has(text)) arrivals.set(text, performance.now());
  };
  const recovery = await recoveryOf({
    server: await serve({ arrived }),
    dial,
    settle: SETTLED + Math.random() * PERIOD,
    recoveredAt: (cutAt) => [...arrivals].find(([text]) => sent[Number(text) - 1] > cutAt)?.[1],
    use: (client) => speak(client, sent),
  });
  const counted = sent.filter((at) => at < performance.now() - PERIOD).length;
  const numbers = Array.from({ length: counted }, (_, index) => String(index + 1));
  return { recovery, lost: numbers.filter((text) => !arrivals.has(text)).length };
}

/**
 * Sends one number per second. Returns a function that ends it after resent messages have had time to
 * arrive.
 */
function speak(client, sent) {
  const timer = setInterval(() => {
    sent.push(performance.now());
    try {
      client.send(String(sent.length));
    } catch {
      // The message is lost, as it would be for a user.
    }
  }, PERIOD);
  return async () => {
    await pause(2 * PERIOD);
    clearInterval(timer);
  };
}

const rows = await Promise.all(
  SUBJECTS.map(async (subject) => {
    const runs = await Promise.all(Array.from({ length: RUNS }, () => run(subject)));
    const lost = runs.reduce((sum, each) => sum + each.lost, 0) / RUNS;
    return { name: subject.name, ...spread(runs.map(({ recovery }) => recovery)), lost };
  }),
);
const [ours, kept, ...peers] = rows;
const isFast = ({ median, worst }) => median <= 1_500 && worst <= 3_000;
const best = Math.min(...peers.map(({ median }) => median));
conclude('recovery', {
  heads: [`${RUNS} runs each`, 'median', 'worst', '× ours', 'lost messages a run'],
  rows: rows.map(({ name, median, worst, lost }) => [
    name,
    seconds(median),
    seconds(worst),
    timesOf(ours.median, median),
    lost.toFixed(1),
  ]),
  demands: [
    [isFast(ours), 'a median of at most 1.5 s and a worst of at most 3 s, with no option set'],
    [isFast(kept) && kept.lost === 0, 'the same with `resend`, and nothing lost'],
    [best >= 20 * ours.median, 'at least 20 times ahead of the best peer in the same run'],
  ],
  packages: packagesOf(SUBJECTS),
});
