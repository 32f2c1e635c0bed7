// Runs all checks that are no tests, and tells each in one line; the output of one that fails whole.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { keep, root } from './run.mjs';
import { step } from './step.mjs';

/** Needs Python, Go, PHP and nginx. */
export const OTHER_LANGUAGES = 'docs in other languages';

/** The long ones first, for they run two at a time. */
const CHECKS = {
  packages: ['node', ['scripts/check-packages.mjs']],
  size: ['node', ['scripts/check-size.mjs']],
  docs: ['node', ['scripts/check-docs.mjs']],
  [OTHER_LANGUAGES]: ['node', ['scripts/check-docs.mjs', '--other-languages']],
  types: ['tsc', ['-p', 'tsconfig.test.json']],
  'format and lint': ['biome', ['check', '--colors=off', '--error-on-warnings', '.']],
};
const ARE_SHOWN = new Set(['size', 'docs', OTHER_LANGUAGES]); // also when they are good

/** Runs those whose names are wanted. Resolves to `{ passed, failed }`. */
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

/** The lockfile serves any registry, so it names none. */
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
