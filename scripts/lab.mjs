// Runs the measurements of the lab: `npm run bench` runs packages/lab/bench/*.bench.mjs, and
// `npm run compare` those of packages/lab/compare, each in a separate process. Further words, as in
// `npm run bench -- memory`, run only the programs with one of them in their name. Options such as
// `--full` and `--trial` are passed on. Fails if a program misses its budget.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { must, root, show } from './run.mjs';
import { toolVariables } from './tools.mjs';

const [kind = 'bench', ...words] = process.argv.slice(2);
const options = words.filter((word) => word.startsWith('--'));
const wanted = words.filter((word) => !word.startsWith('--'));
const folder = join(root, 'packages', 'lab', kind);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(`.${kind}.mjs`))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

await must('node', ['scripts/build.mjs']);
const codes = [];
for (const file of files) {
  const run = ['--expose-gc', join(folder, file), ...options];
  codes.push(await show('node', run, { env: toolVariables() }));
}
if (codes.some((code) => code !== 0)) process.exitCode = 1;
