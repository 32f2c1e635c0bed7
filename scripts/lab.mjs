// Builds everything and runs programs of packages/lab:
//
//   npm run bench      packages/lab/bench/*.bench.mjs, each in a process of its own
//   npm run compare    packages/lab/compare/*.compare.mjs, likewise; writes docs/comparison.md
//   npm run dashboard  docs/diagrams/dashboard.svg: the Grafana dashboard with the metrics of a real gateway
//   npm run fuzz       a million inputs, or as many as you pass, to the code that reads from the network
//   npm run lighthouse  accessibility, best practices and speed of the demo and the documentation site
//   npm run race       docs/diagrams/race.svg: a race of the demo, recorded in Chromium
//   npm run runtimes   the conformance suite of the client on all runtimes, which it downloads
//   npm run servers    the conformance suite of the server on all runtimes, likewise
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
  dashboard: 'dashboard/main.mjs',
  fuzz: 'fuzz/main.mjs',
  lighthouse: 'lighthouse/main.mjs',
  race: 'race/main.mjs',
  runtimes: 'runtimes/main.mjs',
  servers: 'runtimes/servers/main.mjs',
  nodes: 'build/nodes/nodes/main.js',
  soak: 'build/soak/main.js',
  study: 'build/study/main.js',
};

const [kind = 'bench', ...args] = process.argv.slice(2);
const main = MAINS[kind];
const options = main === undefined ? args.filter((word) => word.startsWith('--')) : args;
const wanted = args.filter((word) => !word.startsWith('--'));

const files = main === undefined ? chosen() : [main];
const needsRedis = kind === 'nodes' || files.includes('bench/redis.bench.mjs');
const hasDialects = files.includes('compare/dialects.compare.mjs');
const needs = [
  ...(hasDialects ? ['nats-server', 'RabbitMQ', 'epmd', 'puma', 'Action Cable'] : []),
  ...(needsRedis ? ['redis-server'] : []),
  ...(kind === 'dashboard' ? ['prometheus'] : []),
  ...(['race', 'lighthouse'].includes(kind) ? ['chromium'] : []),
];
for (const line of await installTools(needs)) console.log(line);
await must('node', ['scripts/build.mjs']);
const project = needsRedis ? 'nodes' : kind;
if (needsRedis || main?.startsWith('build/')) await must('tsc', ['-b', `packages/lab/${project}`]);
if (hasDialects) await must('tsc', ['-b', 'packages/lab/dialects']);
for (const file of files) {
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
