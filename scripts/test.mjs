// Sets everything up and tests everything: checks first, then vitest. Ends with the counts of both.
// `npm test -- NAME` runs only the tests whose file has NAME in its path, and no checks.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { endLeftovers, findLeftovers } from './leftovers.mjs';
import { endWithParent, keep, show } from './run.mjs';
import { step } from './step.mjs';
import { installTools, toolVariables } from './tools.mjs';

const TESTS_LIMIT = 2_700_000; // ms, for a test that never ends; the long ones take many minutes
/** No skip: they are .ci/run's. */
const LEFT_OUT = `LEFT OUT: the long tests (packages/lab/end-to-end/long and network), and of fleets all but a few of
the clients. HEARTBEAT_LONG=1 npm test runs them in full, as .ci/run does; it takes minutes more.`;

const filters = process.argv.slice(2);
const isCi = process.env.CI === 'true';
const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
const add = (more) => {
  for (const [name, count] of Object.entries(more)) counts[name] += count;
};

endWithParent();
let missing = [];
if (await setUp()) {
  if (filters.length === 0) add(await runChecks());
  add(await runTests());
} else add({ failed: 1 });

for (const line of missing) console.log(`\n${line}`);
if (process.env.HEARTBEAT_LONG !== '1') console.log(`\n${LEFT_OUT}`);
const skipped = counts.skipped + counts.pending + missing.length;
if (skipped > 0) console.log(`\n${skipped} skipped${isCi ? ', which counts as failed here' : ''}`);
const failed = counts.failed + (isCi ? skipped : 0);
console.log(`\n${counts.passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** Installs and builds. Resolves to whether there is something to test. */
async function setUp() {
  const node = (script) => () => keep('node', [`scripts/${script}`]);
  const tools = installTools().then((lines) => (missing = lines));
  const isInstalled = await step('install', node('bootstrap.mjs'));
  await tools;
  return isInstalled && (await step('build', node('build.mjs')));
}

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  const file = join(folder, 'counts.json');
  // Also where a signal ends the run.
  process.once('exit', () => {
    rmSync(folder, { recursive: true });
    endLeftovers(file);
  });
  const reporters = ['--reporter=default', '--reporter=./scripts/count-reporter.mjs'];
  const env = { COUNTS: file, ...toolVariables() };
  const options = { env, limit: TESTS_LIMIT };
  const code = await show('vitest', ['run', ...reporters, ...filters], options);
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
