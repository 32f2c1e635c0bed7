// Builds what is published, and the demo: types and code by tsc, bundles by rollup.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { must, root } from './run.mjs';

/** The newest change below a folder, in ms since the epoch; 0 if there is none. */
function newest(folder) {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return Math.max(0, ...files.map((file) => statSync(file).mtimeMs));
}

/** Whether `to` has something, and nothing of `from` is newer. */
function isFresh(from, to) {
  const built = Math.min(...to.map(newest));
  return built > 0 && from.every((path) => newest(path) <= built);
}

const packages = ['core', 'client', 'server', 'cli'].map((name) => join(root, 'packages', name));
await must('node', ['scripts/bootstrap.mjs']);
await must('tsc', ['-b']);
const sources = packages.map((path) => join(path, 'build'));
if (
  !isFresh(
    sources,
    packages.map((path) => join(path, 'dist')),
  )
) {
  await must('rollup', ['-c', '--silent']);
}
await must('node', ['examples/demo/build.mjs']);
