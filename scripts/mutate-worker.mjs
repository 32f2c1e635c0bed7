// The thread that runs mutants: a test runner that takes milliseconds where a new vitest process takes
// seconds. Modules are evaluated again for each mutant; `expect` and `vi` come from vitest.
import { join, posix } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import * as vitest from 'vitest';

const { modules, externals, aliases, root, seed } = workerData;
const compiled = new Map();
const outside = new Map([['vitest', { ...vitest, ...registration() }]]);
for (const name of externals) if (name !== 'vitest') outside.set(name, await import(name));
fc.configureGlobal({ seed, endOnFailure: true }); // the shrunk counterexample is not used

let suite; // the suite that tests are registered in
let unhandled;
process.on('unhandledRejection', (reason) => (unhandled ??= { reason }));

parentPort.on('message', async ({ file, code, tests, order }) => {
  const result = await run(file, code, tests, order);
  parentPort.postMessage({ type: 'done', ...result });
});
parentPort.postMessage({ type: 'ready' });

/** Runs all tests in the given order until one fails. `code` replaces the text of `file`, if given. */
async function run(file, code, testFiles, order) {
  const known = new Map();
  const durations = {};
  unhandled = undefined;
  try {
    for (const testFile of testFiles) {
      suite = { title: testFile, before: [], after: [], tests: known };
      load(testFile, new Map(), { file, code });
    }
    for (const name of order ?? known.keys()) {
      const start = performance.now();
      parentPort.postMessage({ type: 'test', name });
      await runTest(known.get(name));
      durations[name] = performance.now() - start;
    }
  } catch (error) {
    return { isKilled: true, error: `${error?.stack ?? error}`, durations };
  }
  return { isKilled: false, durations };
}

async function runTest({ before, after, test }) {
  try {
    for (const hook of before) await hook();
    await test();
  } finally {
    for (const hook of after) await hook();
  }
  await turn(); // lets unhandled rejections be reported
  if (unhandled !== undefined) throw unhandled.reason;
}

// Modules.

function load(path, registry, mutant) {
  const known = registry.get(path);
  if (known !== undefined) return known;
  const exports = {};
  registry.set(path, exports);
  const require = (name) => outside.get(name) ?? load(resolve(path, name), registry, mutant);
  const module = path === mutant.file ? compile(path, mutant.code) : cached(path);
  module(exports, require, { url: pathToFileURL(join(root, path)).href });
  return exports;
}

function cached(path) {
  const module = compiled.get(path) ?? compile(path, modules[path]);
  compiled.set(path, module);
  return module;
}

function compile(path, code = modules[path]) {
  return compileFunction(code, ['exports', 'require', 'meta'], { filename: path });
}

function resolve(from, name) {
  return aliases[name] ?? posix.join(posix.dirname(from), name);
}

// Registering tests.

function registration() {
  const it = (title, first, second) => {
    const test = typeof first === 'function' ? first : second;
    const { before, after, tests } = suite;
    const name = `${suite.title} > ${title}`;
    tests.set(tests.has(name) ? `${name} (${tests.size})` : name, { before, after, test });
  };
  const describe = (title, body) => {
    const outer = suite;
    suite = { ...outer, title: `${outer.title} > ${title}` };
    suite.before = [...outer.before];
    suite.after = [...outer.after];
    body();
    suite = outer;
  };
  const each = (register) => (cases) => (title, test) => {
    for (const [index, values] of cases.entries()) {
      const given = Array.isArray(values) ? values : [values];
      register(`${title} #${index}`, () => test(...given));
    }
  };
  it.each = each(it);
  describe.each = each(describe);
  const beforeEach = (hook) => suite.before.push(hook);
  const afterEach = (hook) => suite.after.unshift(hook);
  return { it, test: it, describe, beforeEach, afterEach };
}
