import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 12_000; // below the range of outgoing ports, so that no connection takes it meanwhile
const COUNT = 20_000;
const ATTEMPTS = 20;

/** Returns a free port for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port in ${ATTEMPTS} attempts`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
