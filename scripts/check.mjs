// Runs all checks that are not tests and prints one line per check, with the full output of those that
// fail.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { keep, root } from './run.mjs';
import { step } from './step.mjs';

/** The check that needs Python, Go, PHP, nginx and HAProxy. */
export const OTHER_LANGUAGES = 'docs in other languages';

/** Long checks first, because two run at a time. */
const CHECKS = {
  packages: ['node', ['scripts/check-packages.mjs']],
  size: ['size-limit', ['--silent']],
  'size of dialects': ['node', ['scripts/dialect-sizes.mjs']],
  docs: ['node', ['scripts/check-docs.mjs']],
  [OTHER_LANGUAGES]: ['node', ['scripts/check-docs.mjs', '--other-languages']],
  types: ['tsc', ['-p', 'tsconfig.test.json']],
  'format and lint': ['biome', ['check', '--colors=off', '--error-on-warnings', '.']],
};
const ARE_SHOWN = new Set(['docs', OTHER_LANGUAGES]); // also when they pass

/** Runs the checks whose names `isWanted` accepts. Resolves to `{ passed, failed }`. */
export async function runChecks(isWanted = () => true) {
  const all = Object.entries(CHECKS).map(([name, check]) => [name, () => keep(...check)]);
  const works = [...all, ['lockfile', checkLockfile]].filter(([name]) => isWanted(name));
  const counts = { passed: 0, failed: 0 };
  const inTurn = async () => {
    for (let next = works.shift(); next !== undefined; next = works.shift()) {
      const isGood = await step(...next, ARE_SHOWN.has(next[0]));
      counts[isGood ? 'passed' : 'failed'] += 1;
    }
  };
  await Promise.all([inTurn(), inTurn()]);
  return counts;
}

/** Checks that the lockfile names no registry, so that it works with any. */
async function checkLockfile() {
  const lockfile = readFileSync(`${root}pnpm-lock.yaml`, 'utf8');
  const hosts = lockfile.match(/^.*(https?:\/\/|tarball).*$/gm) ?? [];
  return { code: hosts.length === 0 ? 0 : 1, output: hosts.join('\n') };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { passed, failed } = await runChecks();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
