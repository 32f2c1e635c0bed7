// Runs the false-alarm study of packages/lab/study and writes its table to
// docs/topics/failure-detection.md. Fails if our defaults miss a requirement.
import { must, show } from './run.mjs';

await must('node', ['scripts/build.mjs']);
await must('tsc', ['-b', 'packages/lab/study']);
process.exitCode = await show('node', ['packages/lab/build/study/main.js']);
