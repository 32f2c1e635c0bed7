import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Place } from '../argument-parsers.ts';

/** The demo server, built next to this program. */
const SERVER = new URL('demo/server.js', import.meta.url);
const HOST = '127.0.0.1'; // the demo lets its visitors break it

/**
 * Runs the demo in a separate process until a signal ends it. The demo accepts pages from its own host
 * and from `allowedOrigins`. Resolves to the exit code of the process.
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
