// The table of docs/topics/interception.md: what the docs say is compared with what is measured.
import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/topics/interception.md', import.meta.url);
const HEAD = /^\| runtime\s*\|/;

/** The columns of the table, in its order: who listens, and since when. */
export const LISTENERS = ['handler', 'late', 'early', 'earlyCapture'];

/** The rows of the table, by runtime. */
export function readTable() {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const first = lines.findIndex((line) => HEAD.test(line)) + 2; // behind the rule under the head
  const length = lines.slice(first).findIndex((line) => !line.startsWith('|'));
  return new Map(lines.slice(first, first + length).map(readRow));
}

function readRow(line) {
  const [runtime = '', ...cells] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
  return [runtime, Object.fromEntries(LISTENERS.map((listener, at) => [listener, cells[at]]))];
}

/**
 * What was heard, in the words of the table; `messages` is all that may be heard without beats. A
 * listener that is absent cannot be added there.
 */
export function hearingOf(heard, messages) {
  const wordFor = (all) => {
    if (all === undefined) return 'impossible';
    return all.length > messages.length ? 'beats' : 'nothing';
  };
  return Object.fromEntries(LISTENERS.map((listener) => [listener, wordFor(heard[listener])]));
}
