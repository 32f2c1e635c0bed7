// The client of Python's websockets as in its manual: a loop over `connect()`.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('websockets-client.py', import.meta.url));

const QUESTION = 'import websockets; print(websockets.version.version)';

/**
 * Returns nothing, with a message, if the module is missing. `serve` starts a `ws` server; `options`
 * are options of `connect()`.
 */
export function pythonClient(serve, options) {
  const python = process.env.PYTHON_WEBSOCKETS_PATH || 'python3';
  const asked = spawnSync(python, ['-c', QUESTION], { encoding: 'utf8' });
  if (asked.status !== 0) {
    console.log('SKIPPED: Python websockets, which is missing (Debian: python3-websockets)');
    return [];
  }
  const { ping_interval: interval, ping_timeout: timeout } = options ?? {};
  const set = options === undefined ? '' : ` with ${interval} s and ${timeout} s`;
  const name = `Python websockets ${asked.stdout.trim()}${set}`;
  return [{ name, serve, dial: (port) => dial(python, port, options) }];
}

function dial(python, port, options = {}) {
  const stdio = ['pipe', 'ignore', 'ignore'];
  const args = [PROGRAM, `ws://127.0.0.1:${port}`, JSON.stringify(options)];
  const child = spawn(python, args, { stdio });
  child.stdin.on('error', () => {});
  return { send: (text) => child.stdin.write(`${text}\n`), end: () => child.kill('SIGKILL') };
}
