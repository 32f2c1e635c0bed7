// Runs all checks that are no tests, and tells each in one line; the output of one that fails whole.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { keep, root } from './run.mjs';

const CHECKS = {
  'format and lint': ['biome', ['check', '--colors=off', '--error-on-warnings', '.']],
  types: ['tsc', ['-p', 'tsconfig.test.json']],
  imports: ['node', ['scripts/check-imports.mjs']],
  docs: ['node', ['scripts/check-docs.mjs']],
  size: ['node', ['scripts/check-size.mjs']],
  packages: ['node', ['scripts/check-packages.mjs']],
};

/** Runs them all. Resolves to `{ passed, failed }`. */
export async function runChecks() {
  const counts = { passed: 0, failed: 0 };
  const tell = (name, isGood, output, seconds) => {
    counts[isGood ? 'passed' : 'failed'] += 1;
    console.log(`${isGood ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`);
    const shown = output.trimEnd().replace(/^/gm, '     ');
    if (shown.trim() !== '' && (!isGood || name === 'size')) console.log(shown);
  };
  // All at once: some of them wait for others' processes most of their time.
  const run = async ([name, [command, args]]) => {
    const start = performance.now();
    const { code, output } = await keep(command, args);
    tell(name, code === 0, output, (performance.now() - start) / 1000);
  };
  await Promise.all(Object.entries(CHECKS).map(run));
  const hosts = readFileSync(`${root}pnpm-lock.yaml`, 'utf8').match(
    /^.*(https?:\/\/|tarball).*$/gm,
  );
  tell('lockfile', hosts === null, `names a host:\n${hosts?.join('\n')}`, 0);
  return counts;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { passed, failed } = await runChecks();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
