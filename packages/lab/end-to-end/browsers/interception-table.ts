import { readFileSync } from 'node:fs';

const PAGE = new URL('../../../../docs/topics/interception.md', import.meta.url);
const HEAD = /^\| runtime\s*\|/;

/** The columns of the table, in its order: who listens, and since when. */
export const LISTENERS = ['handler', 'late', 'early', 'earlyCapture'] as const;

/** What each kind of listener hears of a beat. */
export type Hearing = Readonly<Record<(typeof LISTENERS)[number], 'nothing' | 'beats'>>;

/** The rows of the table in `docs/topics/interception.md`, by runtime. */
export function readTable(): ReadonlyMap<string, Hearing> {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const first = lines.findIndex((line) => HEAD.test(line)) + 2; // behind the rule under the head
  const length = lines.slice(first).findIndex((line) => !line.startsWith('|'));
  return new Map(lines.slice(first, first + length).map(readRow));
}

function readRow(line: string): [runtime: string, hearing: Hearing] {
  const [runtime = '', ...cells] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
  const hearing = LISTENERS.map((listener, index) => [listener, cells[index]]);
  return [runtime, Object.fromEntries(hearing) as Hearing];
}

/** What was heard, in the words of the table; `messages` is all that may be heard without beats. */
export function hearingOf(
  heard: Readonly<Record<string, readonly string[]>>,
  messages: readonly string[],
): Hearing {
  const words = LISTENERS.map((listener) => {
    const hasBeats = (heard[listener]?.length ?? 0) > messages.length;
    return [listener, hasBeats ? 'beats' : 'nothing'];
  });
  return Object.fromEntries(words) as Hearing;
}
