// Edits the module of the connection while Vite serves it: each edit makes a connection and leaves one behind, closed.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openPage, startServer } from 'see-pong';
import { createServer } from 'vite';

const EDITS = 3;
/** The watcher of Vite drops a change that comes within 50 ms of the one before. */
const BETWEEN_EDITS = 500;
const { url, sockets, heartbeat } = await startServer();
process.env.VITE_SERVER = url;
const vite = await createServer({ logLevel: 'warn', server: { host: '127.0.0.1', port: 0 } });
await vite.listen();
// Vite's development server gives pages the errors with full sentences.
const { code } = await vite.transformRequest('/connection.ts');
const [, dependency] = /from "([^"]*wirebeat_client[^"]*)"/.exec(code);
const bundle = await (await fetch(new URL(dependency, vite.resolvedUrls.local[0]))).text();
if (!bundle.includes('known options are')) throw new Error('the errors have no sentences');

const page = await openPage(vite.resolvedUrls.local[0]);
await page.title('pong 0');

for (let edit = 1; edit <= EDITS; edit += 1) {
  await sleep(BETWEEN_EDITS);
  const [older] = sockets.clients;
  const code = readFileSync('connection.ts', 'utf8');
  writeFileSync('connection.ts', code.replace(/'pong \d+'/, `'pong ${edit}'`));
  await page.title(`pong ${edit}`);
  if (older.readyState < 3) await once(older, 'close', { signal: AbortSignal.timeout(20_000) });
}
const open = heartbeat.connections.size;
if (open !== 1) throw new Error(`${open} connections are open after ${EDITS} edits`);
await page.close();
process.exit(0);
