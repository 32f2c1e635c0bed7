// Fuzzes the code that reads from the network: `npm run fuzz`, with a million inputs or the number that
// you pass.
import { must, show } from './run.mjs';

await must('node', ['scripts/build.mjs']);
const main = ['--expose-gc', 'packages/lab/fuzz/main.mjs', ...process.argv.slice(2)];
process.exitCode = await show('node', main);
