// How long until a message arrives again after the link was cut and nobody said so?
//
// Each client sends a message a second. Recovered is who gets any message that was sent after the cut
// to the server. All runs of all subjects go on at once, their phases spread, so it takes little more than the
// two minutes after which a client counts as not recovered.
import { conclude } from './conclusion.mjs';
import { pause, recoveryOf, seconds, spread, timesOf } from './silent-cut.mjs';
import { packagesOf, SUBJECTS } from './subjects.mjs';
import { amount } from './trial.mjs';

const RUNS = amount(20, 2);
const PERIOD = 1_000; // between two messages
const SETTLED = 5_000; // socket.io has changed from polling to a WebSocket by then

/** One client, one server, one proxy between them. Resolves to what happened. */
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

/** Sends a number a second. Returns what ends it, when what is resent has had its time. */
function speak(client, sent) {
  const timer = setInterval(() => {
    sent.push(performance.now());
    try {
      client.send(String(sent.length));
    } catch {
      // lost, as its user would lose it
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
