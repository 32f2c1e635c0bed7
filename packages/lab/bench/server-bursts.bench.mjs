// Do pings come in bursts? Measures when the server sends its Pings, and how long those of one turn
// block the event loop: with the README's recipe all at once, with wirebeat in batches.
// `npm run bench -- server-bursts` uses 2 000 connections, with `--full` 10 000.
import { look } from './load/window.mjs';
import { report } from './report.mjs';

const FULL = process.argv.includes('--full');
const COUNT = FULL ? 10_000 : 2_000;
const INTERVAL = 1_200;
const WINDOWS = 4; // the calmest window counts: other load can only increase the result
const SPAN = 10; // ms

/** Returns the largest number in any 10 ms, as a part of all connections. */
function densest({ pings }) {
  let most = 0;
  for (let end = 0, start = 0; end < pings.length; end += 1) {
    while (pings[end] - pings[start] >= SPAN) start += 1;
    most = Math.max(most, end - start + 1);
  }
  return most / COUNT;
}

async function measure(subject) {
  const windows = await look({
    server: { subject, interval: INTERVAL, notes: 'pings' },
    clients: { count: COUNT, interval: INTERVAL },
    intervals: 2,
    windows: WINDOWS,
  });
  const least = (of) => Math.min(...windows.map(of));
  return { most: least(densest), longest: least(({ longest }) => longest) };
}

const readme = await measure('readme');
const wirebeat = await measure('wirebeat');
const ms = (micros) => `${(micros / 1_000).toFixed(1)} ms`;
report(`Do the beats of ${COUNT} connections come in bursts?`, [
  {
    what: 'most Pings in any 10 ms',
    measured: wirebeat.most,
    unit: 'of the connections',
    budget: 0.1,
    note: `the README's recipe: ${readme.most.toFixed(2)}`,
  },
  {
    what: 'longest turn of the loop by Pings',
    measured: wirebeat.longest / readme.longest,
    unit: '× readme',
    budget: 0.25,
    note: `${ms(wirebeat.longest)} of CPU time, ${ms(readme.longest)} by the recipe; target: 0.07, 10 ms`,
  },
]);
