// How large should a batch of pings be? CPU time a beat, and the longest turn of the event loop, against
// the number of batches in an interval. A turn costs about as much as a beat, but long turns delay the
// application. The recipe is spread in steps. Of wirebeat, the jitter limits how far apart batches are.
//
//   npm run bench -- server-batches            1 000 connections, two rounds
//   npm run bench -- server-batches --full     10 000 and 1 000 connections, five rounds
import { byTurns } from './load/rounds.mjs';
import { quartiles } from './measure.mjs';
import { report } from './report.mjs';

const IS_FULL = process.argv.includes('--full');
const ROUNDS = IS_FULL ? 5 : 2;
const INTERVAL = 1_200;

const side = (count, server) => ({
  count,
  server: { interval: INTERVAL, notes: 'turns', ...server },
  clients: { interval: INTERVAL },
});
const recipe = (count, step) => side(count, { subject: 'readme, spread', step });
const wirebeat = (count, jitter) => side(count, { subject: 'wirebeat', jitter });

async function curve(count) {
  const sides = {
    'the recipe, all at once': side(count, { subject: 'readme' }),
    'the recipe in 12 steps': recipe(count, 100),
    'the recipe in 24 steps': recipe(count, 50),
    'the recipe in 120 steps': recipe(count, 10),
    'wirebeat, jitter 0.1': wirebeat(count, 0.1),
    'wirebeat, jitter 0.05': wirebeat(count, 0.05),
    'wirebeat, jitter 0.025': wirebeat(count, 0.025),
    'wirebeat, jitter 0.009': wirebeat(count, 0.009),
  };
  const seen = await byTurns(sides, { rounds: ROUNDS, intervals: count < 10_000 ? 6 : 4 });
  const costs = (name) => seen[name].map(({ cpu, beats }) => cpu / beats);
  const [base] = Object.keys(sides);
  const rows = Object.keys(sides).map((name) => {
    const [low, middle, high] = quartiles(costs(name).map((cost, at) => cost / costs(base)[at]));
    const [, longest] = quartiles(seen[name].map((window) => window.longest / 1_000));
    const spread = `quartiles ${low.toFixed(2)}–${high.toFixed(2)}`;
    const turn = `longest turn ${longest.toFixed(1)} ms`;
    return { what: name, measured: middle, unit: '× the recipe', note: `${spread}; ${turn}` };
  });
  report(`How large should a batch of pings be? (${count} connections)`, rows);
}

for (const count of IS_FULL ? [10_000, 1_000] : [1_000]) await curve(count);
