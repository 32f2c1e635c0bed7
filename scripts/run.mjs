// Runs other programs for the scripts beside it.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = `${root}node_modules/.bin`;
const isWindows = process.platform === 'win32';

/** The environment in which the workspace's own programs are found first. */
export function environment(extra = {}) {
  const path = `${bin}${isWindows ? ';' : ':'}${process.env.PATH ?? ''}`;
  return { ...process.env, PATH: path, ...extra };
}

/** Runs a program with its output shown. Resolves to its exit code. */
export function show(command, args, options = {}) {
  return run(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] }).then(
    ({ code }) => code,
  );
}

/** Runs a program and keeps its output. Resolves to `{ code, output }`. */
export function keep(command, args, options = {}) {
  return run(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
}

function run(command, args, { env, cwd = root, stdio }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio, env: environment(env), shell: isWindows });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 1, output: `${output}${error.message}\n` }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Runs a program that must succeed; else shows its output and ends this process. */
export async function must(command, args, options) {
  const { code, output } = await keep(command, args, options);
  if (code === 0) return output;
  process.stderr.write(output);
  process.exit(code);
}
