// Feeds this many inputs to each parser of network data, `node main.mjs 200000`: none may throw,
// mistake a message for a heartbeat or a heartbeat for a message, or keep anything. FUZZ_SEED repeats a
// run.
import assert from 'node:assert/strict';
import { decodeBeat, encodeBeat } from '@wirebeat/core';
import * as dialects from '@wirebeat/core/dialects';
import fc from 'fast-check';
import { CORPUS, text } from './inputs.mjs';
import { fuzzServer } from './server-input.mjs';

const inputs = Number(process.argv[2] ?? 1_000_000);
/** The most that a dialect holds back of one message: `PONG\r`. */
const MAX_HELD = 5;
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

const { json, keepAlive, phoenix, text: textDialect } = dialects;
const DIALECTS = [
  ...Object.values(dialects).filter((dialect) => typeof dialect === 'object'),
  ...[json(), keepAlive(), phoenix(), phoenix({ serializer: 1 }), textDialect()],
];

/** Each takes one text and throws if the result is wrong. */
const READERS = {
  decodeBeat(input) {
    const beat = decodeBeat(input);
    if (beat !== undefined) assert.equal(encodeBeat(beat), input);
    assert.equal(beat !== undefined, isBeat(input));
  },
  /** All dialects read each input: creating it takes longer than reading it. */
  dialects(input) {
    for (const dialect of DIALECTS) readBy(dialect, input);
  },
};

/** The text as a whole, and its characters as the bytes of a stream, in two messages. */
function readBy(dialect, input) {
  for (const isShared of [false, true]) {
    const session = dialect.open('client', isShared);
    const bytes = Uint8Array.from(input, (character) => character.charCodeAt(0));
    const middle = bytes.length >> 1;
    for (const message of [input, bytes.subarray(0, middle), bytes.subarray(middle)]) {
      session.sent(message);
      const reading = session.receive(message);
      if (reading === undefined) continue;
      const left = reading.rest?.length ?? 0;
      assert.ok(left <= message.length + MAX_HELD, `${dialect.name}: ${left} of ${message.length}`);
    }
  }
}

/** A second implementation of the grammar in docs/protocol.md. */
function isBeat(input) {
  const [head, ...pairs] = input.slice(1).split(';');
  const keys = pairs.map((pair) => pair.split('=')[0]);
  return (
    ['\u0005', '\u0006'].includes(input[0]) &&
    input.length <= 125 &&
    /^wb(\.[\w-]{1,16})?$/.test(head) &&
    !head.endsWith('\n') &&
    pairs.every((pair) => /^[A-Za-z]{1,16}=[\w-]{1,24}$/.test(pair) && !pair.endsWith('\n')) &&
    new Set(keys).size === keys.length
  );
}

let failed = 0;
console.log(`FUZZ_SEED=${seed}, ${inputs} inputs, ${CORPUS.length} kept in the corpus`);
const names = Object.keys(READERS);
const half = Math.ceil(inputs / 2);
for (const name of names) {
  const share = name === 'dialects' ? inputs : half;
  const options = { numRuns: share, seed, examples: CORPUS.map((each) => [each]) };
  await attempt(name, share, () => fc.assert(fc.property(text, READERS[name]), options));
}
await attempt('server', half, () => fuzzServer(half, seed));
console.log(`\n${names.length + 1 - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0); // a server that failed still has connections

async function attempt(name, count, act) {
  const startedAt = performance.now();
  try {
    await act();
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`ok   ${name}: ${count} inputs in ${seconds} s`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}
