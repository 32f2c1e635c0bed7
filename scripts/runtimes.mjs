// Downloads all runtimes and runs the client's conformance suite of packages/lab/runtimes on each.
import { must, show } from './run.mjs';

await must('node', ['scripts/build.mjs']);
const main = 'packages/lab/runtimes/main.mjs';
process.exitCode = await show('node', [main, ...process.argv.slice(2)]);
