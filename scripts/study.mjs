// Runs the false-alarm study of packages/lab/study, and keeps its table in
// docs/topics/failure-detection.md. Fails when a demand on our defaults is missed.
import { must, show } from './run.mjs';

await must('node', ['scripts/build.mjs']);
await must('tsc', ['-b', 'packages/lab/study']);
process.exitCode = await show('node', ['packages/lab/build/study/main.js']);
