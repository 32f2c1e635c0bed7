// Installs and builds everything, and runs the demo until Ctrl-C.
import { spawn } from 'node:child_process';
import { endWithParent, root, show } from './run.mjs';

endWithParent();
if ((await show('node', ['scripts/build.mjs'])) !== 0) process.exit(1);

const server = spawn('node', ['examples/demo/dist/server.js'], { cwd: root, stdio: 'inherit' });
server.once('exit', (code) => process.exit(code ?? 1));

// Ctrl-C reaches both processes: the server ends first, then this one. Other signals to this process
// are passed on.
process.on('SIGINT', () => setTimeout(() => server.kill('SIGINT'), 200));
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill('SIGTERM'));
