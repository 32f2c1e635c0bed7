// Sets everything up, builds, and runs the demo until Ctrl-C.
import { spawn } from 'node:child_process';
import { root, show } from './run.mjs';

if ((await show('node', ['scripts/build.mjs'])) !== 0) process.exit(1);

const server = spawn('node', ['examples/demo/dist/server.js'], { cwd: root, stdio: 'inherit' });
// Ctrl-C reaches both: the server ends by itself, and this process after it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => server.kill('SIGTERM'));
server.once('exit', (code) => process.exit(code ?? 1));
