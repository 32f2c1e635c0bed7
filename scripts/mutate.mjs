// Tests the tests: makes one small mistake at a time in the parts that decide verdicts, and checks that a
// test fails. Fails if the tests detect fewer than 90 % of the mistakes in a file.
//
//   npm run mutate -- --file wheel     only files with this in their name
//   npm run mutate -- --sample 200     this many of all mistakes, always the same; judged together
//   npm run mutate -- --only 17        one mistake, by the number that is printed for a survivor, and
//                                      which test detects it; together with --file
//   npm run mutate -- --jobs 4         this many threads; as many as processors by default
//
// Nothing is written: mutants are compiled and run in memory, in threads that end with this process.
// Survivors that turn out not to be mistakes are listed with their reasons in mutate-survivors.json;
// they still count as survivors.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, posix } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import ts from '@typescript/typescript6';
import { mutantsOf } from './mutate-operators.mjs';
import { endWithParent, root } from './run.mjs';

const CORE = 'packages/core';
const DEMANDED = 90; // percent of the mutants that tests must detect
const RUNS = 30; // schedules per property: few, because there are hundreds of mutants; npm test uses 500
const SEED = 1; // so that each run gives the same result
const CPU_SLACK = 500; // ms of CPU time that a test may use beyond ten times its time without a mutant
// How long a test may take on a busy machine, or wait for something that never happens, in ms.
const IDLE_SLACK = 20_000;
const LOOK = 50; // ms between two checks of the time that a test takes
const HEAP = 512; // MB per thread, which a mutant may try to fill

/** The files of the machine. */
const MACHINE = ['heartbeat', 'heartbeat-state', 'deadlines', 'verdict'];

/** The files, and the tests that should detect mistakes in them. */
const TARGETS = {
  'machine/rtt-estimator': ['machine/rtt-estimator', 'sources/rfc6298'],
  'timers/timing-wheel': [
    'timers/timing-wheel',
    'timers/timing-wheel.property',
    'sources/varghese-lauck-1987',
  ],
  ...Object.fromEntries(MACHINE.map((name) => [`machine/${name}`, testsOfMachine(name)])),
};
const ALIASES = { '@wirebeat/core/testing': `${CORE}/src/testing/index.ts` };

const { values: options } = parseArgs({
  options: {
    file: { type: 'string', default: '' },
    sample: { type: 'string' },
    only: { type: 'string' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
  },
});

endWithParent();
const jobs = Number(options.jobs);
const isWhole = options.sample === undefined && options.only === undefined;
const judged = JSON.parse(readFileSync(join(root, 'scripts/mutate-survivors.json'), 'utf8'));
const targets = Object.keys(TARGETS).filter((name) => name.includes(options.file));
const texts = new Map();
const program = compileAll(targets.flatMap(testsOf));
const mutants = choose(targets.flatMap(mutantsIn)).filter(changesCode);
const baselines = new Map();
const queue = [...mutants];
await Promise.all(Array.from({ length: jobs }, work));
process.exitCode = report() ? 0 : 1;

function testsOfMachine(name) {
  return [
    ...[`machine/${name}`, 'machine/heartbeat.table', 'traces', 'pair'],
    ...['sources/rfc6455', 'sources/rfc6298'],
    ...testsIn('laws').filter((name) => !name.startsWith('laws/interception')), // not about the machine
  ];
}

// Mutants.

function mutantsIn(name) {
  const file = `${CORE}/src/${name}.ts`;
  const text = readFileSync(join(root, file), 'utf8');
  texts.set(file, text);
  return mutantsOf(file, text).map((mutant, index) => ({ ...mutant, name, number: index + 1 }));
}

/** Compiles a mutant. Returns whether it changes any code: the change may only concern types. */
function changesCode(mutant) {
  const { file, start, end, becomes } = mutant;
  const text = texts.get(file);
  mutant.compiled = compile(file, text.slice(0, start) + becomes + text.slice(end));
  return mutant.compiled !== program.modules[file];
}

/** Chooses mutants. A sample stays the same as long as the lines of its mutants do. */
function choose(all) {
  if (options.only !== undefined)
    return all.filter(({ number }) => number === Number(options.only));
  if (options.sample === undefined) return all;
  const rank = ({ file, code, was, becomes }) =>
    createHash('sha256').update([file, code, was, becomes].join('\0')).digest('hex');
  const ranked = all.map((mutant) => [rank(mutant), mutant]);
  ranked.sort(([a], [b]) => (a < b ? -1 : 1));
  return ranked.slice(0, Number(options.sample)).map(([, mutant]) => mutant);
}

// Compiling.

/**
 * Returns everything that the tests import as code for the threads, and the names of external modules.
 */
function compileAll(tests) {
  const modules = {};
  const externals = new Set();
  const open = [...tests];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (modules[path] !== undefined) continue;
    modules[path] = compile(path, readFileSync(join(root, path), 'utf8'));
    for (const [, name] of modules[path].matchAll(/\brequire\("([^"]+)"\)/g)) {
      if (name.startsWith('.')) open.push(posix.join(posix.dirname(path), name));
      else if (ALIASES[name] !== undefined) open.push(ALIASES[name]);
      else externals.add(name);
    }
  }
  return { modules, externals: [...externals], aliases: ALIASES, root, seed: SEED };
}

function compile(fileName, text) {
  const compilerOptions = {
    module: ts.ModuleKind.CommonJS, // allows a separate function per mutant; ES modules would stay in memory
    target: ts.ScriptTarget.ES2022,
    removeComments: true,
  };
  const { outputText } = ts.transpileModule(text, { fileName, compilerOptions });
  return outputText.replaceAll('import.meta', 'meta');
}

function testsOf(name) {
  return TARGETS[name].map((test) => `${CORE}/test/${test}.test.ts`);
}

function testsIn(folder) {
  const names = readdirSync(join(root, CORE, 'test', folder));
  const tests = names.filter((name) => name.endsWith('.test.ts')).sort();
  return tests.map((name) => `${folder}/${name.replace(/\.test\.ts$/, '')}`);
}

// Running.

/** Runs mutants from the queue, one at a time, until the queue is empty. */
async function work() {
  let thread;
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    thread ??= await startThread();
    const { order, limits } = await baselineOf(mutant.name, thread);
    const job = { file: mutant.file, code: mutant.compiled, tests: testsOf(mutant.name), order };
    mutant.result = await runIn(thread, job, limits);
    if (mutant.result.isLost) {
      await thread.terminate();
      thread = undefined;
    }
  }
  await thread?.terminate();
}

async function startThread() {
  const env = { ...process.env, HEARTBEAT_TEST_RUNS: `${RUNS}`, HEARTBEAT_TEST_SEED: `${SEED}` };
  const limits = { maxOldGenerationSizeMb: HEAP };
  const url = new URL('mutate-worker.mjs', import.meta.url);
  const thread = new Worker(url, { workerData: program, env, resourceLimits: limits });
  await new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
  return thread;
}

/** Measures how long each test takes without a mutant. From then on, fast tests run first. */
function baselineOf(name, thread) {
  if (!baselines.has(name)) baselines.set(name, measure(name, thread));
  return baselines.get(name);
}

async function measure(name, thread) {
  const { isKilled, error, durations } = await runIn(thread, { tests: testsOf(name) }, {});
  if (isKilled) {
    console.log(`The tests of ${name} fail without a mutant:\n${error}`);
    process.exit(1);
  }
  const order = Object.keys(durations).sort((a, b) => durations[a] - durations[b]);
  const limits = Object.fromEntries(order.map((test) => [test, 10 * durations[test]]));
  return { order, limits };
}

/**
 * Resolves to `{ isKilled, by, error, durations }`; with `isLost` if the thread can no longer be used.
 */
function runIn(thread, job, limits) {
  return new Promise((resolve) => {
    let by = 'its start';
    let isOver = stopwatch();
    const settle = (result) => {
      clearInterval(looks);
      thread.off('message', take);
      thread.off('error', fail);
      resolve({ ...result, by });
    };
    const fail = ({ message }) => settle({ isKilled: true, isLost: true, error: message });
    const take = (message) => {
      if (message.type === 'done') return settle(message);
      by = message.name;
      isOver = stopwatch(limits[by]);
    };
    const looks = setInterval(() => isOver() && fail({ message: 'It does not end.' }), LOOK);
    thread.on('message', take);
    thread.on('error', fail);
    thread.postMessage(job);
  });
}

/**
 * Returns whether a test has used too much time. This is an estimate, because other threads use CPU as
 * well.
 */
function stopwatch(limit = IDLE_SLACK) {
  const [start, worked] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(worked);
    const cpu = (user + system) / 1_000 / jobs;
    return cpu > CPU_SLACK + limit || performance.now() - start > IDLE_SLACK + limit;
  };
}

// Reporting.

function report() {
  let isGood = true;
  for (const name of targets) {
    const own = mutants.filter((mutant) => mutant.name === name);
    if (own.length > 0) isGood = tell(name, own) && isGood;
  }
  if (options.only !== undefined) {
    for (const { result } of mutants) console.log(`${result.by}\n${result.error ?? 'all pass'}`);
    return true;
  }
  const total = percentage(mutants);
  console.log(`\n${mutants.length} mutants, ${count(mutants)} killed, ${total.toFixed(1)} %`);
  return isWhole ? isGood : total >= DEMANDED;
}

function tell(name, own) {
  const percent = percentage(own);
  console.log(`\n${name}: ${own.length} mutants, ${count(own)} killed, ${percent.toFixed(1)} %`);
  const survivors = own.filter(({ result }) => !result.isKilled);
  for (const { number, line, code, was, becomes, ...mutant } of survivors) {
    console.log(`  #${number} line ${line}: ${code}\n      ${short(was)}  →  ${short(becomes)}`);
    const entry = judged.find((each) => isMeant(each, { code, was, becomes, ...mutant }));
    if (entry !== undefined) console.log(`      no mistake: ${entry.reason}`);
  }
  if (isWhole) tellIdle(name, survivors);
  return percent >= DEMANDED;
}

/** Reports the listed survivors that did not survive, because an outdated list hides new survivors. */
function tellIdle(name, survivors) {
  for (const entry of judged) {
    if (entry.file !== name || survivors.some((mutant) => isMeant(entry, mutant))) continue;
    console.log(
      `  listed, but no survivor: ${entry.line}\n      ${entry.was}  →  ${entry.becomes}`,
    );
  }
}

function isMeant(entry, { name, code, was, becomes }) {
  const { file, line } = entry;
  return file === name && line === code && entry.was === was && entry.becomes === becomes;
}

function count(some) {
  return some.filter(({ result }) => result.isKilled).length;
}

function percentage(some) {
  return (100 * count(some)) / some.length;
}

function short(text) {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line || 'nothing';
}
