// Builds everything and runs programs of packages/lab:
//
//   npm run bench      packages/lab/bench/*.bench.mjs, each in a process of its own
//   npm run compare    packages/lab/compare/*.compare.mjs, likewise; writes docs/comparison.md
//   npm run fuzz       a million inputs, or as many as you pass, to the code that reads from the network
//   npm run runtimes   the conformance suite of the client on all runtimes, which it downloads
//   npm run soak       faults: -- --minutes 10 --clients 2000 --seed 7 --report artifacts/soak.svg
//   npm run soak:nodes faults of several servers and their Redis: -- --nodes 3 --minutes 10 --seed 7
//   npm run study      the study of false alarms; writes docs/topics/failure-detection.md
//
// Of bench and compare, words such as `memory` choose the programs with one of them in their name.
// Options are passed on. Fails if a program fails or misses its budget.
import { readdirSync } from 'node:fs';
import { must, root, show } from './run.mjs';
import { installTools, toolVariables } from './tools.mjs';

const MAINS = {
  fuzz: 'fuzz/main.mjs',
  runtimes: 'runtimes/main.mjs',
  nodes: 'build/nodes/nodes/main.js',
  soak: 'build/soak/main.js',
  study: 'build/study/main.js',
};

const [kind = 'bench', ...args] = process.argv.slice(2);
const main = MAINS[kind];
const options = main === undefined ? args.filter((word) => word.startsWith('--')) : args;
const wanted = args.filter((word) => !word.startsWith('--'));

if (kind === 'nodes') for (const line of await installTools(['redis-server'])) console.log(line);
await must('node', ['scripts/build.mjs']);
if (main?.startsWith('build/')) await must('tsc', ['-b', `packages/lab/${kind}`]);
for (const file of main === undefined ? chosen() : [main]) {
  const run = ['--expose-gc', `packages/lab/${file}`, ...options];
  if ((await show('node', run, { env: toolVariables() })) !== 0) process.exitCode = 1;
}

function chosen() {
  const all = readdirSync(`${root}packages/lab/${kind}`);
  const files = all.filter((name) => name.endsWith(`.${kind}.mjs`));
  return files
    .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
    .map((name) => `${kind}/${name}`);
}
