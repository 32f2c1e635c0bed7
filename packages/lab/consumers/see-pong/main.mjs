#!/usr/bin/env node
// Starts a server with heartbeats, and fails unless what it is given is answered by it.
//
//   see-pong run COMMAND…    a program, which has SERVER_URL and must end well
//   see-pong page FOLDER TITLE?  a page of a folder, which gets that title at a pong
//   see-pong start COMMAND…  a server of pages, which has SERVER_URL and must listen on PORT
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, openPage, startServer } from './see-pong.mjs';

const LIMIT = 60_000;
const [mode, ...words] = process.argv.slice(2);
const server = await startServer(mode === 'page' ? words[0] : undefined);
const PORT = await freePort();

/** Runs the command in a group of its own, which has no terminal and is ended as one. */
function start() {
  const env = { ...process.env, SERVER_URL: server.url, PORT };
  const child = spawn(words[0], words.slice(1), { env, stdio: 'inherit', detached: true });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  };
  process.once('exit', end);
  return child;
}

async function isUp(url) {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

const late = sleep(LIMIT, undefined, { ref: false }).then(() => {
  throw new Error(`no pong within ${LIMIT} ms`);
});

async function seePong() {
  if (mode === 'run') {
    const [code] = await once(start(), 'exit');
    if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`);
    return;
  }
  let url = server.url.replace('ws', 'http');
  if (mode === 'start') {
    start();
    url = `http://127.0.0.1:${PORT}/`;
    while (!(await isUp(url))) await sleep(100);
  }
  const page = await openPage(url);
  await page.title(mode === 'page' ? (words[1] ?? 'pong') : 'pong');
  await page.close();
}

try {
  await Promise.race([seePong(), late]);
  console.log('pong');
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
