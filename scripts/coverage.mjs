// Checks that each file of the core is covered by its own tests alone: `test/x.test.ts` or
// `test/x.*.test.ts` must take every branch of `src/x.ts`. Prints each file that is not covered, with
// its lines. `npm run coverage -- wheel` only checks files with this in their name.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mirrored } from './coverage-provider.mjs';
import { filesBelow } from './files.mjs';
import { endWithParent, keep, root } from './run.mjs';

const RUNS = 60; // schedules per property: enough to reach the branches
const LIMIT = 300_000; // ms
const SOURCES = 'packages/core/src';
const TESTS = 'packages/core/test';

const wanted = process.argv.slice(2);
const isWanted = (file) => wanted.length === 0 || wanted.some((part) => file.includes(part));
const folder = mkdtempSync(join(tmpdir(), 'wirebeat-coverage-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

endWithParent();
const files = filesBelow(SOURCES, '.ts').filter(isWanted).sort();
if (files.length === 0) {
  console.log(`No file of ${SOURCES} has ${wanted.join(' or ')} in its name.`);
  process.exit(1);
}
const { isGood, coverage } = await collect();
const covered = files.filter(tell);
console.log(`${covered.length} of ${files.length} files covered by their own tests`);
process.exitCode = isGood && covered.length === files.length ? 0 : 1;

/** Runs the tests that have a source file, each in a separate process. */
async function collect() {
  const options = {
    enabled: true,
    provider: 'custom',
    customProviderModule: './scripts/coverage-provider.mjs',
    include: `${SOURCES}/**/*.ts`,
    reporter: 'json',
    reportsDirectory: folder,
    reportOnFailure: true,
  };
  const flags = Object.entries(options).map(([name, value]) => `--coverage.${name}=${value}`);
  const tests = filesBelow(TESTS, '.test.ts').filter((test) => {
    const file = mirrored(test);
    return isWanted(file) && existsSync(join(root, file));
  });
  const args = ['run', '--project=node', '--isolate', '--reporter=dot', ...flags, ...tests];
  const env = { HEARTBEAT_TEST_RUNS: `${RUNS}` };
  const { code, output } = await keep('vitest', args, { env, limit: LIMIT });
  if (code !== 0) console.log(output);
  const coverage = JSON.parse(readFileSync(join(folder, 'coverage-final.json'), 'utf8'));
  return { isGood: code === 0, coverage };
}

/** Prints what is not covered. Returns whether everything is. */
function tell(file) {
  const own = coverage[join(root, file)];
  if (own === undefined) return true; // the file has no code that runs, only types or re-exports
  const gaps = gapsIn(own);
  if (gaps.length > 0) console.log(`${file}\n${gaps.map((gap) => `  ${gap}`).join('\n')}`);
  return gaps.length === 0;
}

/** Returns where a function was never called or a branch never taken. */
function gapsIn({ path, fnMap, f, branchMap, b }) {
  const lines = readFileSync(path, 'utf8').split('\n');
  const found = new Map();
  const add = (line, what) =>
    found.set(line, `line ${line}, ${what}: ${lines[line - 1]?.trim() ?? ''}`);
  for (const [key, { name, loc }] of Object.entries(fnMap)) {
    if (f[key] === 0) add(loc.start.line, `${name} is never called`);
  }
  for (const [key, { type, loc, locations }] of Object.entries(branchMap)) {
    for (const [index, count] of b[key].entries()) {
      if (count > 0) continue;
      add(locations[index]?.start?.line ?? loc.start.line, `a branch (${type}) is never taken`);
    }
  }
  return [...found].sort(([a], [z]) => a - z).map(([, text]) => text);
}
