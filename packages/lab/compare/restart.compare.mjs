// How do a thousand clients reconnect after their server restarts?
//
// The server, a separate process, is killed, and one second later another one listens on the same port.
// New connections are counted per tenth of a second: the more at once, the harder for a server that has
// just started.
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

/** Starts a server of the subject. `connects` are the times of its connections. */
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

/**
 * Returns the number of connections, the time of the last one, the largest bucket, and a picture of all
 * buckets.
 */
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

/** Draws one character per half second: the more connections, the higher. */
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

/** Without subjects that use a broker or a process per client. */
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
