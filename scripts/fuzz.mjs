// Fuzzes what reads the network: `npm run fuzz`, a million inputs, or as many as are asked for.
import { must, show } from './run.mjs';

await must('node', ['scripts/build.mjs']);
const main = ['--expose-gc', 'packages/lab/fuzz/main.mjs', ...process.argv.slice(2)];
process.exitCode = await show('node', main);
