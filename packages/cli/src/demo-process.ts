import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Place } from './arguments.ts';

/** As it is built beside this program. */
const SERVER = new URL('demo/server.js', import.meta.url);
const HOST = '127.0.0.1'; // whoever reaches it may hurt it

/**
 * Runs the demo in a process of its own, until a signal ends it. Pages of its own host are let in, and
 * those of `allowedOrigins`. Resolves to its exit code.
 */
export function runDemo(
  { port, host = HOST }: Place,
  allowedOrigins: readonly string[],
): Promise<number> {
  const env = {
    ...process.env,
    PORT: String(port),
    HOST: host,
    ALLOWED_ORIGINS: allowedOrigins.join(' '),
  };
  const child = spawn(process.execPath, [fileURLToPath(SERVER)], { env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}
