// Runs the benchmarks of packages/lab/bench, each in a process of its own: `npm run bench`, or
// `npm run bench -- memory` for those whose name has this in it. Fails when one is over its budget.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { must, root, show } from './run.mjs';

const folder = join(root, 'packages', 'lab', 'bench');
const wanted = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.bench.mjs'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));

await must('node', ['scripts/build.mjs']);
const codes = [];
for (const file of files) codes.push(await show('node', ['--expose-gc', join(folder, file)]));
if (codes.some((code) => code !== 0)) process.exitCode = 1;
