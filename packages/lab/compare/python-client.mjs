// The client of Python's websockets, as its manual has it: a loop over `connect()`.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('websockets-client.py', import.meta.url));

/** Debian's own, which has Debian's modules, before another one in the path. */
const PYTHONS = ['/usr/bin/python3', 'python3'];
const QUESTION = 'import websockets; print(websockets.version.version)';

/** None where that module is missing, which is said. `serve` is a server on `ws`. */
export function pythonClient(serve) {
  const ask = (python) => spawnSync(python, ['-c', QUESTION], { encoding: 'utf8' });
  const python = PYTHONS.find((each) => ask(each).status === 0);
  if (python === undefined) {
    console.log('SKIPPED: Python websockets, which is missing (Debian: python3-websockets)');
    return [];
  }
  const name = `Python websockets ${ask(python).stdout.trim()}`;
  return [{ name, serve, dial: (port) => dial(python, port) }];
}

function dial(python, port) {
  const stdio = ['pipe', 'ignore', 'ignore'];
  const child = spawn(python, [PROGRAM, `ws://127.0.0.1:${port}`], { stdio });
  child.stdin.on('error', () => {});
  return { send: (text) => child.stdin.write(`${text}\n`), end: () => child.kill('SIGKILL') };
}
