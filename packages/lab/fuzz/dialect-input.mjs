// Feeds messages to the session of a dialect, as a client, and compares it with a second implementation of
// its grammar: what is no beat must be passed on unchanged and in order, however a stream is split.
import assert from 'node:assert/strict';
import * as dialects from '@wirebeat/core/dialects';
import fc from 'fast-check';
import { GRAMMARS } from './dialect-grammars.mjs';
import { CORPUS, text } from './inputs.mjs';

const { json, keepAlive, phoenix } = dialects;

/** Every dialect, and its name among the grammars. */
const DIALECTS = new Map([
  ...Object.values(dialects)
    .filter((dialect) => typeof dialect === 'object')
    .map((dialect) => [dialect.name, dialect]),
  ...[json(), keepAlive(), phoenix(), dialects.text()].map((dialect) => [dialect.name, dialect]),
  ['phoenix 1', phoenix({ serializer: 1 })],
  ['json with id', json({ id: 'id' })],
]);
/** Those of streams of bytes. */
const STREAMS = ['mqtt', 'nats', 'stomp'];
/** Those whose first pong answers the first ping. */
const IN_ORDER = ['text', 'trpc', 'json', 'pusher', 'discord', 'mqtt', 'nats'];
/** What a server says before it answers pings. */
const GREETINGS = {
  mqtt: Uint8Array.of(0x20, 2, 0, 0),
  pusher: '{"event":"pusher:connection_established"}',
  discord: '{"op":10,"d":{"heartbeat_interval":41250}}',
};

/** What is often sent in each protocol, and what is nearly so. */
const PIECES = {
  text: ['ping', 'pong', 'pong '],
  trpc: ['PING', 'PONG', 'PONG\n'],
  'engine.io': ['2', '3', '0{"pingInterval":1,"pingTimeout":1}', '42["3"]'],
  json: ['{"type":"ping"}', '{"type":"pong"}', '{"type":"pong","id":1}', ' {"type":"pong"}'],
  'json with id': ['{"type":"ping","id":1}', '{"type":"pong","id":"wb1"}', '{"type":"pong","x":1}'],
  graphql: ['{"type":"ping"}', '{"type":"pong","payload":{"wirebeat":"1"}}', '{"type":"next"}'],
  ka: ['{"type":"ka"}', '{"type":"connection_ack","payload":{"connectionTimeoutMs":1}}'],
  appsync: ['{"type":"ka"}', '{"type":"keepalive"}', '{"type":"ka","id":1}'],
  actioncable: ['{"type":"ping","message":1}', '{"type":"welcome"}', '{"type":"ping","x":1}'],
  pusher: ['{"event":"pusher:ping"}', '{"event":"pusher:pong","data":{}}', '{"event":1}'],
  discord: [
    '{"op":11}',
    '{"op":1,"d":null}',
    '{"t":"A","s":7,"op":0,"d":{"op":11}}',
    '{"op":11,"x":1}',
  ],
  phoenix: [
    '[null,"1","phoenix","phx_reply",{}]',
    '[null,"wb1","phoenix","phx_reply",{}]',
    '[null,"1","room","phx_reply",{}]',
  ],
  'phoenix 1': [
    '{"topic":"phoenix","event":"phx_reply","ref":"1","payload":{}}',
    '{"topic":"phoenix","event":"phx_reply","ref":"wb1","payload":{}}',
  ],
  signalr: ['{"type":6}\x1e', '{}\x1e', '\x1e', '{"type":1,"arguments":["', '{"type":6}'],
  mqtt: ['\xd0\0', '\xc0\0', '\xd0', '\xd1\0', '\xd0\x80\0', '\x30\x05\0\x01a\xd0\0', '\x40\x02\0'],
  nats: ['PING\r\n', 'PONG\r\n', 'MSG a 1 6\r\nPONG\r\n\r\n', 'PON', '+OK\r\n', 'MSG a 1 9\r\n'],
  stomp: ['\n', '\r\n', 'MESSAGE\n\n\0', 'MESSAGE\ncontent-length:2\n\n\n\0\0', 'a\n\n', '\0', 'b'],
};

function inputsOf(name) {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PIECES[name]) },
    { weight: 1, arbitrary: fc.constantFrom(...CORPUS) },
    { weight: 1, arbitrary: text },
  );
  return fc.record({
    pieces: fc.array(piece, { maxLength: 6 }),
    places: fc.array(fc.nat(200), { maxLength: 6 }),
    isShared: fc.boolean(),
    pings: fc.nat(1),
  });
}

/** Cuts a text at these places. */
function split(whole, places) {
  const cuts = [0, ...places.map((place) => place % (whole.length + 1)), whole.length];
  cuts.sort((a, b) => a - b);
  return cuts.slice(1).map((end, index) => whole.slice(cuts[index], end));
}

const bytesOf = (each) => Uint8Array.from(each, (character) => character.charCodeAt(0));
const characters = (wire) => (typeof wire === 'string' ? wire : String.fromCharCode(...wire));

function check(name, { pieces, places, isShared, pings }) {
  const isStream = STREAMS.includes(name);
  const session = DIALECTS.get(name).open('client', isShared);
  session.receive(GREETINGS[name] ?? '');
  let ours = IN_ORDER.includes(name) && pings > 0 && session.ping('1') ? 1 : 0;
  const latin = pieces.map((one) => (isStream ? one.replace(/[^\0-\xff]/g, '') : one));
  const messages = isStream ? split(latin.join(''), places) : latin;

  let [left, beats] = ['', 0];
  for (const message of messages) {
    const wire = isStream ? bytesOf(message) : message;
    const reading = session.receive(wire);
    beats += reading?.beats.length ?? 0;
    if (reading !== undefined) left += characters(reading.rest ?? '');
    else left += message;
  }

  let [expected, count] = ['', 0];
  for (const { part, kind } of GRAMMARS[name](messages)) {
    if (kind !== undefined) count += 1;
    const isOwn = kind === 'own pong' || (kind === 'pong' && ours > 0);
    const isTaken = kind !== undefined && (!isShared || isOwn);
    if (kind === 'pong') ours -= 1;
    if (!isTaken) expected += part;
  }
  // The beginning of a possible beat is held back.
  const held = expected.slice(left.length);
  assert.equal(left + held, expected);
  assert.ok(/^(P(I(N(G\r?)?)?|O(N(G\r?)?)?)?|\xc0|\xd0)?$/.test(held), `it held back ${held}`);
  assert.equal(beats, count);
}

/** Feeds this many inputs to each dialect, and calls `attempt` with the name of each and what it does. */
export async function fuzzDialects(inputs, seed, attempt) {
  for (const name of DIALECTS.keys()) {
    const property = fc.property(inputsOf(name), (input) => check(name, input));
    await attempt(`dialect ${name}`, inputs, () => fc.assert(property, { numRuns: inputs, seed }));
  }
}
