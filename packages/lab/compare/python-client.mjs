// The client of Python's websockets, as its manual has it: a loop over `connect()`.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('websockets-client.py', import.meta.url));

const QUESTION = 'import websockets; print(websockets.version.version)';

/** None where that module is missing, which is said. `serve` is a server on `ws`. */
export function pythonClient(serve) {
  const python = process.env.PYTHON_WEBSOCKETS_PATH || 'python3';
  const asked = spawnSync(python, ['-c', QUESTION], { encoding: 'utf8' });
  if (asked.status !== 0) {
    console.log('SKIPPED: Python websockets, which is missing (Debian: python3-websockets)');
    return [];
  }
  const name = `Python websockets ${asked.stdout.trim()}`;
  return [{ name, serve, dial: (port) => dial(python, port) }];
}

function dial(python, port) {
  const stdio = ['pipe', 'ignore', 'ignore'];
  const child = spawn(python, [PROGRAM, `ws://127.0.0.1:${port}`], { stdio });
  child.stdin.on('error', () => {});
  return { send: (text) => child.stdin.write(`${text}\n`), end: () => child.kill('SIGKILL') };
}
