// Compares the table of docs/topics/interception.md with measurements.
import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../docs/topics/interception.md', import.meta.url);
const HEAD = /^\| runtime\s*\|/;

/** The columns of the table: the kind of listener and when it was added. */
export const LISTENERS = ['handler', 'late', 'early', 'earlyCapture'];

/** Returns the rows of the table by runtime. */
export function readTable() {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const first = lines.findIndex((line) => HEAD.test(line)) + 2; // after the rule below the head
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
 * Describes what was received in the words of the table. `messages` are all messages that are not
 * heartbeats. A missing listener cannot be added on that runtime.
 */
export function hearingOf(heard, messages) {
  const wordFor = (all) => {
    if (all === undefined) return 'impossible';
    return all.length > messages.length ? 'beats' : 'nothing';
  };
  return Object.fromEntries(LISTENERS.map((listener) => [listener, wordFor(heard[listener])]));
}
