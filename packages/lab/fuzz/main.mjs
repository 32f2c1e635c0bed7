// Feeds this many inputs to each parser of network data, `node main.mjs 200000`: none may throw,
// mistake a message for a heartbeat or a heartbeat for a message, or keep anything. FUZZ_SEED repeats a
// run.
import assert from 'node:assert/strict';
import { decodeBeat, encodeBeat } from '@wirebeat/core';
import fc from 'fast-check';
import { fuzzDialects } from './dialect-input.mjs';
import { CORPUS, text } from './inputs.mjs';
import { fuzzServer } from './server-input.mjs';

const inputs = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Each takes one text and throws if the result is wrong. */
const READERS = {
  decodeBeat(input) {
    const beat = decodeBeat(input);
    if (beat !== undefined) assert.equal(encodeBeat(beat), input);
    assert.equal(beat !== undefined, isBeat(input));
  },
};

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

let [passed, failed] = [0, 0];
console.log(`FUZZ_SEED=${seed}, ${inputs} inputs, ${CORPUS.length} kept in the corpus`);
const half = Math.ceil(inputs / 2);
const options = { numRuns: half, seed, examples: CORPUS.map((each) => [each]) };
for (const [name, read] of Object.entries(READERS)) {
  await attempt(name, half, () => fc.assert(fc.property(text, read), options));
}
await attempt('server', half, () => fuzzServer(half, seed));
await fuzzDialects(inputs, seed, attempt);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0); // a server that failed still has connections

async function attempt(name, count, act) {
  const startedAt = performance.now();
  try {
    await act();
    passed += 1;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`ok   ${name}: ${count} inputs in ${seconds} s`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.stack}\n${error.cause?.stack ?? ''}`);
  }
}
