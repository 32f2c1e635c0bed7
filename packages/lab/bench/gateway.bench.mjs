// Measures the cost of a gateway compared with a raw pipe of the same bytes: CPU time per message,
// throughput, added latency, and memory: of idle connections, and while one GiB passes through. Both run between the same ends,
// alternately.
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { report } from './report.mjs';

const ROUNDS = 7;
const CONNECTIONS = 8;
const ROUND_TRIPS = 1_000;
const GIB = 2 ** 30;
const MIB = 2 ** 20;
const KIB = 2 ** 10;
const WARM_UP = 500; // connections
const IDLE = 3_000; // connections
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const SIZES = [
  { name: '64 B', length: 64, count: 160_000 },
  { name: '64 KiB', length: 65_536, count: 6_400 },
];
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

/** Encodes a binary frame, masked like one from a page. */
function frameOf(length, isMasked) {
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + size);
  header[0] = 0x82;
  header[1] = (isMasked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) header.writeUInt16BE(length, 2);
  if (size === 8) header.writeBigUInt64BE(BigInt(length), 2);
  const payload = Buffer.alloc(length > MIB ? 0 : length, 0x61);
  return Buffer.concat([header, ...(isMasked ? [MASK] : []), payload]);
}

/** Starts an upstream that behaves like a WebSocket at the lowest possible cost. */
async function startUpstream() {
  const waiting = [];
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const key = /sec-websocket-key: (.*)\r/i.exec(request.toString('latin1'))[1];
      const accept = createHash('sha1')
        .update(key + GUID)
        .digest('base64'); // RFC 6455 §4.2.2
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      waiting.shift()(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  const next = () => new Promise((resolve) => waiting.push(resolve));
  return { port: server.address().port, next, close };
}

async function startMiddle(kind, upstream) {
  const path = fileURLToPath(new URL('middle-process.mjs', import.meta.url));
  const child = fork(path, [kind, String(upstream.port)], { execArgv: [] });
  const [{ port }] = await once(child, 'message');
  const used = async () => {
    child.send('?');
    return (await once(child, 'message'))[0];
  };
  const open = async () => {
    const accepted = upstream.next();
    const page = connect({ port, host: '127.0.0.1', noDelay: true });
    page.on('error', () => {});
    page.write(HANDSHAKE);
    const far = await accepted;
    await once(page, 'data');
    return { page, far };
  };
  return { kind, used, open, close: () => child.disconnect() };
}

/** Sends a frame repeatedly, as fast as the socket accepts it. */
function pour(socket, frame, count) {
  let left = count;
  const write = () => {
    while (left > 0) {
      left -= 1;
      if (!socket.write(frame)) return socket.once('drain', write);
    }
  };
  write();
}

/** Resolves when this many bytes have arrived. Waits for `between` after each piece, if given. */
function drink(socket, bytes, between) {
  return new Promise((resolve) => {
    let left = bytes;
    const read = (chunk) => {
      left -= chunk.length;
      if (left <= 0) {
        socket.off('data', read);
        return resolve();
      }
      if (between === undefined) return;
      socket.pause();
      setTimeout(() => socket.resume(), between);
    };
    socket.on('data', read);
  });
}

/** One round: sends this many messages over all connections in one direction. */
async function carry(middle, { length, count }, isBack) {
  const ends = [];
  for (let index = 0; index < CONNECTIONS; index += 1) ends.push(await middle.open());
  const frame = frameOf(length, !isBack);
  const each = count / CONNECTIONS;
  const before = await middle.used();
  const start = performance.now();
  await Promise.all(
    ends.map(({ page, far }) => {
      const [from, to] = isBack ? [far, page] : [page, far];
      const done = drink(to, each * frame.length);
      pour(from, frame, each);
      return done;
    }),
  );
  const seconds = (performance.now() - start) / 1_000;
  const { microseconds } = await middle.used();
  for (const { page } of ends) page.destroy();
  return { cost: (microseconds - before.microseconds) / count, rate: count / seconds };
}

/** Resolves to the median round trip of single messages. */
async function roundTrip(middle) {
  const { page, far } = await middle.open();
  far.on('data', (chunk) => far.write(unmasked(chunk)));
  const frame = frameOf(64, true);
  const times = [];
  for (let index = 0; index < ROUND_TRIPS; index += 1) {
    const start = performance.now();
    page.write(frame);
    while (!(await once(page, 'data'))[0].includes(0x82)); // skips Pings of the gateway
    times.push(performance.now() - start);
  }
  page.destroy();
  return median(times);
}

/** Echoes the message in a piece of data. A Ping of the gateway may come with it. */
function unmasked(chunk) {
  let rest = chunk;
  while (rest.length > 0 && rest[0] !== 0x82) rest = rest.subarray(6 + (rest[1] & 0x7f));
  if (rest.length === 0) return rest;
  const length = rest[1] & 0x7f;
  return Buffer.concat([Buffer.from([0x82, length]), rest.subarray(6, 6 + length)]);
}

/** Resolves to how far memory rises while a message of one GiB passes to a slow reader. */
async function flood(middle, isBack) {
  const { page, far } = await middle.open();
  const [from, to] = isBack ? [far, page] : [page, far];
  await new Promise((resolve) => setTimeout(resolve, 500));
  await middle.used(); // resets the peak
  await new Promise((resolve) => setTimeout(resolve, 100));
  const idle = (await middle.used()).peak;
  const header = frameOf(GIB, !isBack);
  const done = drink(to, header.length + GIB, 1);
  from.write(header);
  pour(from, Buffer.alloc(MIB), GIB / MIB);
  await done;
  const { peak } = await middle.used();
  page.destroy();
  return (peak - idle) / MIB;
}

/** Resolves to the memory in KiB that each of many idle connections takes. */
async function idleMemory() {
  const middle = await startMiddle('gateway', upstream);
  const pages = [];
  const add = async (count) => {
    for (let index = 0; index < count; index += 1) pages.push((await middle.open()).page);
    return middle.used();
  };
  const before = await add(WARM_UP); // for the compiler, and the heap of an empty process
  const after = await add(IDLE);
  for (const page of pages) page.destroy();
  middle.close();
  const each = (name) => (after[name] - before[name]) / IDLE / KIB;
  return { rss: each('rss'), heap: each('heapUsed') };
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
}

const upstream = await startUpstream();
const idle = await idleMemory();
report('How much memory does an idle connection take?', [
  { what: 'of the process', measured: idle.rss, unit: 'KiB', budget: 64 },
  { what: 'of that, heap and its garbage', measured: idle.heap, unit: 'KiB' },
]);

const pipe = await startMiddle('pipe', upstream);
const gateway = await startMiddle('gateway', upstream);
const rows = [];
for (const [direction, isBack] of [
  ['from page to upstream', false],
  ['from upstream to page', true],
]) {
  for (const size of SIZES) {
    const rounds = [];
    await carry(pipe, size, isBack); // once for the compiler
    await carry(gateway, size, isBack);
    for (let round = 0; round < ROUNDS; round += 1) {
      const [base, subject] = [await carry(pipe, size, isBack), await carry(gateway, size, isBack)];
      rounds.push({ ratio: subject.cost / base.cost, base, subject });
    }
    const { base, subject } = rounds[ROUNDS - 1];
    const rate = median(rounds.map((round) => round.subject.rate / round.base.rate));
    rows.push({
      what: `${size.name} ${direction}`,
      measured: median(rounds.map(({ ratio }) => ratio)),
      unit: "× a pipe's time",
      budget: 1.5,
      note: `${subject.cost.toFixed(2)} µs, a pipe ${base.cost.toFixed(2)} µs; ${Math.round(subject.rate)} a second, ${rate.toFixed(2)} × a pipe's`,
    });
  }
}
report('What does a message cost that goes through a gateway?', rows);

const trips = { pipe: [], gateway: [] };
for (const middle of [pipe, gateway]) await roundTrip(middle); // once for the compiler
for (let round = 0; round < ROUNDS; round += 1) {
  for (const middle of [pipe, gateway]) trips[middle.kind].push(await roundTrip(middle));
}
const [base, subject] = [median(trips.pipe), median(trips.gateway)];
report('How much later does a message come?', [
  { what: 'a round trip through a pipe', measured: base * 1_000, unit: 'µs' },
  { what: 'a round trip through a gateway', measured: subject * 1_000, unit: 'µs' },
  { what: 'added, both ways together', measured: (subject - base) * 1_000, unit: 'µs' },
]);

report('How much memory does it take to pass on 1 GiB to a slow reader?', [
  {
    what: 'from page to upstream',
    measured: await flood(gateway, false),
    unit: 'MiB',
    budget: 100,
  },
  { what: 'from upstream to page', measured: await flood(gateway, true), unit: 'MiB', budget: 100 },
]);
for (const each of [pipe, gateway, upstream]) each.close();
