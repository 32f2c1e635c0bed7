// Which connections does a page lose if its main thread is busy while the network is fine?
//
// A page in Chromium has clients of every library. A script keeps its main thread busy: no timer runs
// and no message is handled, while the browser keeps answering protocol Pings. A connection counts as
// lost if it was replaced afterwards.
import { once } from 'node:events';
import { createServer } from 'node:http';
import puppeteer from 'puppeteer-core';
import { bundle } from '../bundle.mjs';
import { conclude } from './conclusion.mjs';
import { pause } from './silent-cut.mjs';
import { bareServer, packagesOf, SUBJECTS } from './subjects.mjs';
import { amount } from './trial.mjs';

const CLIENTS = amount(15, 2); // per library: a browser allows about 300 WebSockets
const BLOCKS = amount([10_000, 30_000, 60_000], [1_000, 2_000, 3_000]);
const PHASES = amount(25_000, 1_000); // the clients begin one after another, so that the block meets any phase
const SETTLE = amount(30_000, 5_000); // clients that reconnect have done so by then
const chromium = process.env.CHROMIUM_PATH ?? 'chromium';
const NAMES = [
  'wirebeat',
  'socket.io-client',
  'websocket-heartbeat-js',
  'partysocket',
  'reconnecting-websocket',
];
/** It never reconnects: it counts as lost if the server has seen its end. */
const NATIVE = { name: "the browser's own WebSocket", serve: bareServer };
const subjects = [...SUBJECTS.filter(({ name }) => NAMES.includes(name)), NATIVE];

/**
 * Resolves to the number of connections of each subject that a page replaced after being blocked for
 * `length` ms.
 */
async function run(browser, script, length) {
  const begun = await Promise.all(
    subjects.map(async ({ name, serve }) => {
      const [connects, ends] = [[], []];
      const connected = () => connects.push(performance.now());
      const ended = () => ends.push(performance.now());
      const losses = name === NATIVE.name ? ends : connects;
      return { name, connects, losses, server: await serve({ connected, ended }) };
    }),
  );
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}`);
  await page.addScriptTag({ content: script });
  const ports = Object.fromEntries(begun.map(({ name, server }) => [name, server.port]));
  for (let client = 0; client < CLIENTS; client += 1) {
    await page.evaluate((ports) => globalThis.dialAll(ports), ports);
    await pause(PHASES / CLIENTS);
  }
  const connecting = () => begun.some(({ connects }) => connects.length < CLIENTS);
  for (let wait = 0; wait < SETTLE && connecting(); wait += 100) await pause(100);
  const missing = begun.find(({ connects }) => connects.length !== CLIENTS);
  if (missing) throw new Error(`${missing.name} has ${missing.connects.length} connections`);
  const blockedAt = performance.now();
  await page.evaluate((length) => globalThis.block(length), length);
  await pause(SETTLE);
  const lost = begun.map(({ losses }) => losses.filter((at) => at > blockedAt).length);
  await page.close();
  for (const { server } of begun) server.end();
  return lost;
}

// A page on loopback, because other pages may not dial it.
const site = createServer((_, response) => response.end('<!doctype html>')).listen(0, '127.0.0.1');
await once(site, 'listening');
const script = await bundle("import './blocked-page.mjs';", import.meta.url, { format: 'iife' });
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  protocolTimeout: 300_000,
});
const lost = await Promise.all(BLOCKS.map((length) => run(browser, script, length)));
const version = await browser.version();
await browser.close();
conclude('blocked-page', {
  heads: [`of ${CLIENTS}, ${version}`, ...BLOCKS.map((length) => `${length / 1_000} s`)],
  rows: subjects.map(({ name }, at) => [name, ...lost.map((each) => each[at])]),
  demands: [[lost.every(([ours]) => ours === 0), 'wirebeat loses none']],
  packages: packagesOf(subjects),
});
