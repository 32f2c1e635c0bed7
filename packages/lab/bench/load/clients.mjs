// Clients of a server that is measured, in a process of their own: TCP connections that shake hands as
// RFC 6455 §4.1 asks, and answer beats. They are light, so that many of them load no server but ours.
import { connect } from 'node:net';
import { MESSAGE } from './message.mjs';

const options = JSON.parse(process.argv[2]);
const { port, count, path = '/', says, asks, interval, talkers = 0 } = options;
const { isSpread = false, network = 0 } = options;
const AT_ONCE = 200; // handshakes on their way: fewer than a listening socket holds
const PONG_BIT = 0x0a;
const LONGEST_STEP = 500; // ms: longer than a burst of pings blocks the event loop
// Each address has ports of its own, and so has each network.
const addressOf = (index) => `127.0.${network}.${1 + Math.floor(index / 5_000)}`;

/** A frame of a client, masked with zeros, RFC 6455 §5.3. */
function frame(opcode, payload) {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0]), bytes]);
}

const message = frame(1, MESSAGE);
let beats = 0; // what came that is a beat, or the answer to one
let messages = 0; // what came of the application
/**
 * Clients that answer the next ping at a random time within an interval, as if they had connected at
 * different times. Otherwise, a server that sets a timer at each answer would keep pinging all of them
 * at once after a stop.
 */
let late = new Set();

function receive(socket, opcode, payload) {
  if (opcode === 0x9) {
    beats += 1;
    socket.write(frame(PONG_BIT, payload));
  } else if (opcode === 0x1) hear(socket, String(payload));
}

function hear(socket, text) {
  if (text === MESSAGE) {
    messages += 1;
    return;
  }
  if (text.startsWith('\u0005wb')) socket.write(frame(1, `\u0006${text.slice(1)}`));
  else if (text === '2') answerEngineIo(socket);
  else if (!text.startsWith('\u0006wb') && text !== '{"kind":"pong"}') return;
  beats += 1;
}

function answerEngineIo(socket) {
  const answer = () => socket.write(frame(1, '3'));
  if (late.delete(socket)) setTimeout(answer, Math.random() * interval);
  else answer();
}

const HEADERS =
  'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

function open(index) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(index) });
    let rest;
    const read = (bytes) => {
      let at = 0;
      const all = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
      // Every frame of these benches is short but Engine.IO's first: RFC 6455 §5.2.
      for (;;) {
        const isLong = (all[at + 1] & 0x7f) === 126;
        const head = isLong ? 4 : 2;
        if (all.length < at + head) break;
        const end = at + head + (isLong ? all.readUInt16BE(at + 2) : all[at + 1]);
        if (all.length < end) break;
        receive(socket, all[at] & 0x0f, all.subarray(at + head, end));
        at = end;
      }
      rest = at === all.length ? undefined : all.subarray(at);
    };
    const shake = (bytes) => {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) throw new Error('a handshake in two parts');
      socket.off('data', shake);
      socket.on('data', read);
      resolve(socket);
      if (bytes.length > end + 4) read(bytes.subarray(end + 4));
    };
    socket.setNoDelay(true);
    socket.on('data', shake);
    socket.on('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\n${HEADERS}`);
  });
}

/** Each of `sockets` sends `bytes` once an interval, spread over it. What was missed while stopped is left out. */
function sendSpread(sockets, bytes) {
  let before = performance.now();
  let due = 0;
  let sent = 0;
  setInterval(() => {
    const now = performance.now();
    due += (Math.min(now - before, LONGEST_STEP) / interval) * sockets.length;
    before = now;
    for (; sent < due; sent += 1) sockets[sent % sockets.length].write(bytes);
  }, 5);
}

const sockets = [];
for (let index = 0; index < count; index += AT_ONCE) {
  const some = Array.from({ length: Math.min(AT_ONCE, count - index) }, (_, at) => index + at);
  sockets.push(...(await Promise.all(some.map(open))));
}
// They are met in no order that a phase could follow.
const talking = sockets.filter((_, index) => (index * 0.618034) % 1 < talkers);
if (asks !== undefined) sendSpread(sockets, frame(1, asks));
if (talking.length > 0) sendSpread(talking, message);
process.on('message', (question) => {
  if (question === 'say' && says !== undefined)
    for (const socket of sockets) socket.write(frame(1, says));
  if (question === 'resume' && isSpread) late = new Set(sockets);
  process.send({ beats, messages });
});
process.on('disconnect', () => process.exit());
process.send({ connected: sockets.length });
