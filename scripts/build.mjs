// Builds the published packages, the examples and the code that the lab runs: types and code with tsc,
// bundles with rollup.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { must, root } from './run.mjs';

/**
 * Returns when a file, or any file below a folder, last changed, in ms since the epoch; 0 if there is
 * none.
 */
function newest(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Returns whether each path of `to` exists and no path of `from` is newer. */
function isFresh(from, to) {
  const built = Math.min(...to.map(newest));
  return built > 0 && from.every((path) => newest(path) <= built);
}

const packages = ['core', 'client', 'server', 'cli'].map((name) => join(root, 'packages', name));
await must('node', ['scripts/bootstrap.mjs']);
await must('tsc', ['-b']);
const scripts = ['rollup.config.mjs', 'scripts/minify.mjs'].map((path) => join(root, path));
const from = [...packages.map((path) => join(path, 'build')), ...scripts];
const to = packages.map((path) => join(path, 'dist'));
if (!isFresh(from, to)) await must('rollup', ['-c', '--silent']);
await must('node', ['examples/demo/build.mjs']);
await must('tsc', ['-b', 'examples/react', 'packages/lab/faults', 'packages/lab/fleet']);
