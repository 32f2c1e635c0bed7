// How do a thousand clients come back after their server was restarted?
//
// The server, a process of its own, is killed, and another one listens in its place a second later. The
// connections that come are counted in tenths of a second: the more at once, the harder for a server
// that has just begun.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { conclude } from './conclusion.mjs';
import { pause } from './silent-cut.mjs';
import { AT_DEFAULTS, packagesOf } from './subjects.mjs';
import { amount } from './trial.mjs';

const CLIENTS = amount(1_000, 50);
const BUCKET = 100;
const DOWN = 1_000;
const LIMIT = 60_000;
const SETTLED = 3_000;
const PROGRAM = new URL('subject-server.mjs', import.meta.url);

/** A server of that subject. `connects` are the instants of its connections. */
async function begin(name, port = 0) {
  const child = fork(PROGRAM, [name, String(port)]);
  const connects = [];
  child.on('message', ({ connectedAt }) => connectedAt !== undefined && connects.push(connectedAt));
  const [told] = await once(child, 'message');
  return { child, port: told.port, connects };
}

async function run({ name, dial }) {
  const before = await begin(name);
  const clients = Array.from({ length: CLIENTS }, () => dial(before.port));
  await until(() => before.connects.length >= CLIENTS);
  await pause(SETTLED);
  const gone = once(before.child, 'exit');
  const goneAt = Date.now();
  before.child.kill('SIGKILL');
  await gone;
  await pause(DOWN);
  const after = await begin(name, before.port);
  await until(() => after.connects.length >= CLIENTS);
  for (const client of clients) client.end();
  after.child.kill('SIGKILL');
  return resultOf(after.connects, goneAt);
}

async function until(holds) {
  const limit = Date.now() + LIMIT;
  while (!holds() && Date.now() < limit) await pause(BUCKET);
}

/** How many came, when the last one did, the most in one bucket, and the buckets as a picture. */
function resultOf(connects, goneAt) {
  const buckets = [];
  for (const at of connects) {
    const bucket = Math.floor((at - goneAt) / BUCKET);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  const counts = Array.from(buckets, (count = 0) => count);
  return {
    back: connects.length,
    last:
      connects.length === 0 ? '–' : `${((Math.max(...connects) - goneAt) / 1_000).toFixed(1)} s`,
    most: Math.max(0, ...counts),
    picture: pictureOf(counts),
  };
}

/** Half a second a character, the higher the more. */
function pictureOf(counts) {
  const halves = [];
  counts.forEach((count, at) => {
    const half = Math.floor(at / 5);
    halves[half] = (halves[half] ?? 0) + count;
  });
  const most = Math.max(...halves);
  return halves
    .map((count) => (count === 0 ? ' ' : '▁▂▃▄▅▆▇█'[Math.floor((7 * count) / most)]))
    .join('');
}

/** A broker of another kind, and clients that are a process each, are left out. */
const asked = AT_DEFAULTS.filter(({ name }) => !/MQTT|Python/.test(name));
const rows = [];
for (const subject of asked) {
  rows.push({ name: subject.name, ...(await run(subject)) });
}
conclude('restart', {
  heads: [`${CLIENTS} clients`, 'back', 'the last after', 'most in 100 ms', 'half a second each'],
  rows: rows.map(({ name, back, last, most, picture }) => [
    name,
    back,
    last,
    most,
    `\`${picture}\``,
  ]),
  packages: packagesOf(asked),
});
