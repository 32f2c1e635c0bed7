// Sets everything up and tests everything: checks first, then vitest. Ends with the counts of both.
// `npm test -- NAME` runs only the tests whose file has NAME in its path, and no checks.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { must, show } from './run.mjs';
import { findTools, installTools } from './tools.mjs';

const filters = process.argv.slice(2);
const isCi = process.env.CI === 'true';

const [skipped] = await Promise.all([installTools(), must('node', ['scripts/bootstrap.mjs'])]);
await must('node', ['scripts/build.mjs']);

const checks = filters.length === 0 ? await runChecks() : { passed: 0, failed: 0 };
const tests = await runTests();
for (const line of skipped) console.log(`\n${line}`);

const passed = checks.passed + tests.passed;
const failed = checks.failed + tests.failed + (isCi ? skipped.length : 0);
const left = tests.skipped + tests.pending + (isCi ? 0 : skipped.length);
console.log(`\n${passed} passed, ${failed} failed${left > 0 ? `, ${left} skipped` : ''}`);
// In CI a test that was skipped is one that nobody sees.
process.exitCode = failed > 0 || (isCi && left > 0) ? 1 : 0;

async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  const counts = join(folder, 'counts.json');
  const reporters = ['--reporter=default', '--reporter=./scripts/count-reporter.mjs'];
  const env = { COUNTS: counts, CHROMIUM_PATH: findTools().chromium ?? '' };
  const code = await show('vitest', ['run', ...reporters, ...filters], { env });
  const none = { passed: 0, failed: 1, skipped: 0, pending: 0 };
  const found = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : none;
  rmSync(folder, { recursive: true });
  return code !== 0 && found.failed === 0 ? { ...found, failed: 1 } : found;
}
