// How many bytes per hour does an idle connection use?
//
// The clients stay idle, and a proxy counts the bytes and segments that pass. Each segment adds 20
// bytes of IPv4 and 32 of TCP. A segment that is answered at once is acknowledged by its answer; the
// last one of an exchange is acknowledged by a separate segment of 52 bytes.
import { conclude } from './conclusion.mjs';
import { CountingProxy } from './counting-proxy.mjs';
import { pause } from './silent-cut.mjs';
import { AT_DEFAULTS, packagesOf } from './subjects.mjs';
import { amount } from './trial.mjs';

const MINUTES = amount(10, 0.5);
const CLIENTS = amount(20, 2); // so that random differences average out
const HEADERS = 52;

async function run({ serve, dial }) {
  const server = await serve({});
  const proxy = await CountingProxy.listen(server.port);
  const client = dial(proxy.port);
  await pause(5_000 + Math.random() * 20_000); // excludes the cost of connecting
  proxy.begin();
  await pause(MINUTES * 60_000);
  const { bytes, segments } = proxy;
  client.end();
  server.end();
  proxy.end();
  return { bytes: bytes * (60 / MINUTES), segments: segments * (60 / MINUTES) };
}

const mean = (numbers) => numbers.reduce((total, each) => total + each, 0) / numbers.length;
const rows = await Promise.all(
  AT_DEFAULTS.map(async (subject) => {
    const runs = await Promise.all(Array.from({ length: CLIENTS }, () => run(subject)));
    const payload = mean(runs.map(({ bytes }) => bytes));
    const all = payload + HEADERS * mean(runs.map(({ segments }) => segments));
    return { name: subject.name, payload, all };
  }),
);
const [ours] = rows;
const socketIo = rows.find(({ name }) => name === 'socket.io-client');
conclude('bytes', {
  heads: [`${MINUTES} minutes of ${CLIENTS} clients`, 'payload', 'with TCP/IP', '× socket.io'],
  rows: rows.map(({ name, payload, all }) => [
    name,
    `${payload.toFixed(0)} B`,
    `${all.toFixed(0)} B`,
    (all / socketIo.all).toFixed(2),
  ]),
  demands: [
    [ours.all <= 1.1 * socketIo.all, "at most 1.1 times the bytes of socket.io's defaults"],
  ],
  packages: packagesOf(AT_DEFAULTS),
});
