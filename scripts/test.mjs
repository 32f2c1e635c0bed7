// Sets everything up and tests it: checks first, then vitest. Ends with the counts of both.
//
//   npm test                     what needs two minutes: the checks, the tests in Node, those in Chromium
//   npm run test:all             these, and the tests with all browsers, proxies, languages and fleets
//   npm run test:all -- --rest   of all only what npm test leaves out
//   npm test -- NAME             only the tests whose file has NAME in its path, and no checks
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OTHER_LANGUAGES, runChecks } from './check.mjs';
import { endLeftovers, findLeftovers } from './leftovers.mjs';
import { endWithParent, keep, show } from './run.mjs';
import { step } from './step.mjs';
import { ALL_TOOLS, installTools, QUICK_TOOLS, toolVariables } from './tools.mjs';

const TESTS_LIMIT = 2_700_000; // ms, for a test that never ends; long tests take many minutes
/** The projects of vitest.config.ts. */
const QUICK = ['node', 'dom', 'production', 'smoke'];
const REST = ['end-to-end', 'long', 'fleet'];

const words = process.argv.slice(2);
const filters = words.filter((word) => !word.startsWith('--'));
const isRest = words.includes('--rest');
const isAll = words.includes('--all') || isRest || filters.length > 0;
const isLong = process.env.HEARTBEAT_LONG === '1';
const isCi = process.env.CI === 'true';
const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
const add = (more) => {
  for (const [name, count] of Object.entries(more)) counts[name] += count;
};

endWithParent();
let missing = [];
if (await setUp()) {
  if (filters.length === 0) add(await runChecks(isCheckWanted));
  add(await runTests());
} else add({ failed: 1 });

for (const line of missing) console.log(`\n${line}`);
const leftOut = whatIsLeftOut();
if (leftOut !== undefined) console.log(`\nLEFT OUT: ${leftOut}`);
const skipped = counts.skipped + counts.pending + missing.length;
if (skipped > 0) console.log(`\n${skipped} skipped${isCi ? ', which counts as failed here' : ''}`);
const failed = counts.failed + (isCi ? skipped : 0);
console.log(`\n${counts.passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** Installs and builds. Resolves to whether the tests can run. */
async function setUp() {
  const node = (script) => () => keep('node', [`scripts/${script}`]);
  const tools = installTools(isAll ? ALL_TOOLS : QUICK_TOOLS).then((lines) => (missing = lines));
  const isInstalled = await step('install', node('bootstrap.mjs'));
  await tools;
  return isInstalled && (await step('build', node('build.mjs')));
}

function isCheckWanted(name) {
  if (isRest) return name === OTHER_LANGUAGES;
  return isAll || name !== OTHER_LANGUAGES;
}

function projects() {
  if (isRest) return REST;
  return isAll ? [...QUICK, ...REST] : QUICK;
}

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  const file = join(folder, 'counts.json');
  // Also when a signal ends the run.
  process.once('exit', () => {
    rmSync(folder, { recursive: true });
    endLeftovers(file);
  });
  const reporters = ['--reporter=default', '--reporter=./scripts/count-reporter.mjs'];
  const chosen = projects().map((name) => `--project=${name}`);
  const env = { COUNTS: file, ...toolVariables() };
  const options = { env, limit: TESTS_LIMIT };
  const code = await show('vitest', ['run', ...reporters, ...chosen, ...filters], options);
  const wrote = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { passed: 0, failed: 0 };
  if (code !== 0 && wrote.failed === 0) wrote.failed = 1;
  const isAlone = await step('nothing is left running', async () => {
    const left = await findLeftovers(file);
    return { code: left.length, output: left.join('\n') };
  });
  wrote[isAlone ? 'passed' : 'failed'] += 1;
  return wrote;
}

/** Returns what this run leaves out. These tests are not skipped: .ci/run runs all of them. */
function whatIsLeftOut() {
  if (!isAll) {
    return `the tests in Firefox and WebKit, behind proxies, against servers in other languages, of fleets, and the
docs in other languages. npm run test:all runs them too; it takes minutes more.`;
  }
  if (isLong) return undefined;
  return `the long tests (packages/lab/end-to-end/long and network), and of fleets all but a few of
the clients. HEARTBEAT_LONG=1 npm run test:all runs them in full, as .ci/run does; it takes many minutes more.`;
}
