// Injects faults into clients and a server and checks what must never happen: packages/lab/soak.
// `npm run soak -- --minutes 10 --clients 2000 --seed 7 --report artifacts/soak.svg`
import { must, show } from './run.mjs';

await must('node', ['scripts/build.mjs']);
await must('tsc', ['-b', 'packages/lab/soak']);
const program = ['--expose-gc', 'packages/lab/build/soak/main.js', ...process.argv.slice(2)];
process.exitCode = await show('node', program);
