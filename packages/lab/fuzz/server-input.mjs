// Feeds messages and Pings by the thousand, and invalid frames, to a server with a heartbeat.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeBeat } from '@wirebeat/core';
import { attachHeartbeat } from '@wirebeat/server';
import fc from 'fast-check';
import { WebSocket, WebSocketServer } from 'ws';
import { text } from './inputs.mjs';

const A_CONNECTION = 500; // messages
const NOISY = 0.05; // fraction of the connections that send invalid frames
const PATIENCE = 60_000; // ms until everything sent must have arrived
/**
 * Largest growth of the process after the first tenth of the run: it must keep nothing per input.
 * Keeping every message would be 6 MB for a hundred thousand; without that, 0.4 MB was measured.
 */
const GROWTH = 2_000_000; // bytes

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  '\r\n',
].join('\r\n');

const message = fc.oneof(
  // Converted to UTF-8, which has no lone surrogates.
  { weight: 9, arbitrary: text.map((each) => Buffer.from(each).toString()) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 130 }).map((bytes) => Buffer.from(bytes)) },
);

/**
 * Sends `count` messages. Rejects unless the application receives exactly the non-heartbeats, in order.
 */
export async function fuzzServer(count, seed) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const heartbeat = attachHeartbeat(server, { pingLimit: false });
  const heard = new Map(); // by path
  server.on('connection', (socket, { url }) => {
    heard.set(url, []);
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => heard.get(url).push(isBinary ? data : String(data)));
  });
  await once(server, 'listening');
  const { port } = server.address();
  const rounds = Math.ceil(count / A_CONNECTION);
  let before;
  for (let round = 0; round < rounds; round += 1) {
    const messages = fc.sample(message, { numRuns: A_CONNECTION, seed: seed + round });
    const url = `/${round}`;
    await speak(`ws://127.0.0.1:${port}${url}`, messages);
    compare(heard.get(url), messages.filter(isMessage));
    heard.delete(url);
    if (round % Math.round(1 / NOISY) === 0) await makeNoise(port, seed + round);
    if (round === Math.floor(rounds / 10)) before = usedMemory();
  }
  await emptied(() => server.clients.size === 0 && [...heartbeat.connections].length === 0);
  const growth = usedMemory() - (before ?? 0);
  assert(growth < GROWTH, `${growth} bytes more than after the first tenth`);
  heartbeat.detach();
  server.close();
}

/** Throws at the first difference. */
function compare(found, expected) {
  const differs = (each, index) => String(each) !== String(found[index]);
  const at = expected.findIndex(differs);
  assert(at === -1, `heard ${JSON.stringify(found[at])}, not ${JSON.stringify(expected[at])}`);
  assert.equal(found.length, expected.length);
}

function isMessage(each) {
  return typeof each !== 'string' || decodeBeat(each) === undefined;
}

/**
 * Sends all messages with Pings in between, then closes. The server reads everything before the close.
 */
async function speak(url, messages) {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  for (const [index, each] of messages.entries()) {
    socket.send(each);
    if (index % 50 === 0) socket.ping(String(each).slice(0, 20));
  }
  socket.close();
  await once(socket, 'close', { signal: AbortSignal.timeout(PATIENCE) });
}

/** Sends invalid frames: the server closes that connection and no other. */
async function makeNoise(port, seed) {
  const [noise] = fc.sample(fc.uint8Array({ minLength: 20, maxLength: 300 }), { numRuns: 1, seed });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write(HANDSHAKE);
  socket.end(noise);
  await once(socket, 'close', { signal: AbortSignal.timeout(PATIENCE) });
}

async function emptied(isSo) {
  const end = performance.now() + PATIENCE;
  while (!isSo()) {
    assert(performance.now() < end, 'connections that have ended are still watched');
    await pause(20);
  }
}

function usedMemory() {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
