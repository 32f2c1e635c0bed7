// Creates inputs for the fuzzers: the texts of corpus/, mutations of them, and random ones, drawn by
// fast-check. Coverage-guided fuzzers need a newer C library than many systems have.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

const FOLDER = new URL('corpus/', import.meta.url);
/** Texts that once revealed something, as JSON strings, one per line. */
export const CORPUS = readdirSync(FOLDER)
  .sort()
  .flatMap((file) => readFileSync(new URL(file, FOLDER), 'utf8').trim().split('\n'))
  .map((line) => JSON.parse(line));

const piece = fc.oneof(
  fc.constantFrom(
    '\u0005',
    '\u0006',
    'wb',
    '.',
    ';',
    '=',
    'v=1',
    'session=',
    'pong',
    '"',
    '{}',
    '\u0000',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const edit = fc.record({
  at: fc.nat(130),
  drop: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(6)),
  put: piece,
});

function edited(text, edits) {
  return edits.reduce((all, { at, drop, put }) => {
    const from = at % (all.length + 1);
    return all.slice(0, from) + put + all.slice(from + drop);
  }, text);
}

/** Joins the start of one corpus text and the end of another, then edits the result. */
const mutant = fc
  .record({
    one: fc.constantFrom(...CORPUS),
    other: fc.constantFrom(...CORPUS),
    cut: fc.option(fc.nat(130), { freq: 4 }),
    edits: fc.array(edit, { maxLength: 4 }),
  })
  .map(({ one, other, cut, edits }) =>
    edited(cut === null ? one : one.slice(0, cut) + other.slice(cut), edits),
  );

export const text = fc.oneof(
  { weight: 8, arbitrary: mutant },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
);
