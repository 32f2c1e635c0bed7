// What does an idle connection cost on the wire, an hour?
//
// Every client is left alone, and a proxy counts what passes: bytes, and the pieces they come in. A
// piece is a TCP segment, with 20 bytes of IPv4 and 32 of TCP before it. What answers a segment at
// once acknowledges it too; the last of an exchange is acknowledged by a segment of 52 bytes alone.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { SUBJECTS } from './recovery-subjects.mjs';
import { printTable } from './table.mjs';

const MINUTES = Number(process.env.COMPARE_IDLE_MINUTES ?? 10);
const CLIENTS = 20; // so that chance evens out
const HEADERS = 52;
const QUIET = 1_000; // who says nothing for so long has ended an exchange
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A proxy that counts, from `begin` on. */
async function countingProxy(to) {
  const counts = { bytes: 0, segments: 0 };
  let isCounting = false;
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    let last = Number.NEGATIVE_INFINITY;
    const carry = (from, into) => {
      sockets.add(from.setNoDelay(true).on('error', () => into.destroy()));
      from.on('data', (data) => {
        into.write(data);
        if (!isCounting) return;
        const now = performance.now();
        counts.segments += now - last > QUIET ? 2 : 1; // the first with the last acknowledgement
        last = now;
        counts.bytes += data.length;
      });
      from.on('close', () => into.destroy());
    };
    carry(near, far);
    carry(far, near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const end = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: server.address().port, counts, begin: () => (isCounting = true), end };
}

async function run(subject) {
  const server = await subject.serve(() => {});
  const proxy = await countingProxy(server.port);
  const client = subject.dial(proxy.port);
  await pause(5_000 + Math.random() * 20_000); // what a beginning costs is another matter
  proxy.begin();
  await pause(MINUTES * 60_000);
  const { bytes, segments } = proxy.counts;
  client.end();
  server.end();
  proxy.end();
  return { bytes: bytes * (60 / MINUTES), segments: segments * (60 / MINUTES) };
}

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
const wanted = SUBJECTS.filter(({ name }) => name === 'wirebeat' || name === 'socket.io-client');
const rows = await Promise.all(
  wanted.map(async (subject) => {
    const runs = await Promise.all(Array.from({ length: CLIENTS }, () => run(subject)));
    const bytes = sum(runs.map((each) => each.bytes)) / CLIENTS;
    const segments = sum(runs.map((each) => each.segments)) / CLIENTS;
    return { name: subject.name, payload: bytes, all: bytes + HEADERS * segments };
  }),
);
const [ours, theirs] = rows;
printTable(
  `An idle connection, an hour (${MINUTES} minutes of ${CLIENTS} clients)`,
  ['', 'payload', 'with TCP/IP', 'of socket.io'],
  rows.map(({ name, payload, all }) => [
    name,
    `${payload.toFixed(0)} B`,
    `${all.toFixed(0)} B`,
    (all / theirs.all).toFixed(2),
  ]),
);
const holds = ours.all <= 1.1 * theirs.all;
console.log(`${holds ? 'ok  ' : 'MISSED'} at most 1.1 times the bytes of socket.io's defaults`);
process.exit(holds ? 0 : 1);
