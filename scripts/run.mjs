// Runs other programs for the scripts in this folder.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = `${root}node_modules/.bin`;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const isWindows = process.platform === 'win32';

/** Returns an environment in which the workspace's own programs come first on the path. */
export function environment(extra = {}) {
  const path = `${bin}${isWindows ? ';' : ':'}${process.env.PATH ?? ''}`;
  return { ...process.env, PATH: path, ...extra };
}

/** Runs a program with its output shown. Resolves to its exit code. */
export function show(command, args, options = {}) {
  return run(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] }).then(
    ({ code, output }) => {
      process.stderr.write(output); // only says how the program ended
      return code;
    },
  );
}

/** Runs a program and keeps its output. Resolves to `{ code, output }`. */
export function keep(command, args, options = {}) {
  return run(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a program. After `limit` ms, kills it and fails. */
function run(command, args, { env, cwd = root, stdio, limit }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      stdio,
      env: environment(env),
      shell: isWindows,
      timeout: limit,
      killSignal: 'SIGKILL',
    });
    const forget = endTogether(child);
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 1, output: `${output}${error.message}\n` }));
    child.once('close', (code, signal) => {
      forget();
      if (signal !== null) output += `${command} was ended by ${signal}\n`;
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Passes signals on to the child and ends this process after it. */
function endTogether(child) {
  const pass = (signal) => {
    child.once('close', () => process.exit(128 + constants.signals[signal]));
    // Ctrl-C reaches both processes, and a process that receives it twice may not clean up.
    setTimeout(() => child.kill(signal), signal === 'SIGINT' ? 500 : 0);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  return () => {
    for (const signal of SIGNALS) process.off(signal, pass);
  };
}

/** Ends this process when its parent has ended, because the shell of npm does not pass signals on. */
export function endWithParent() {
  const parent = process.ppid;
  const look = () => process.ppid !== parent && process.kill(process.pid, 'SIGTERM');
  setInterval(look, 500).unref();
}

/** Runs a program that must succeed. If it fails, prints its output and ends this process. */
export async function must(command, args, options) {
  const { code, output } = await keep(command, args, options);
  if (code === 0) return output;
  process.stderr.write(output);
  process.exit(code);
}
