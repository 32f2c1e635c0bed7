import { seconds } from './figures.ts';
import type { Happening } from './happenings.ts';

/** What the page says of its connection. */
export type Status = 'connecting' | 'alive' | 'suspect' | 'dead' | 'closed';

/** The status that a happening leads to. */
export function statusAfter(status: Status, { name }: Happening): Status {
  switch (name) {
    case 'open':
    case 'alive':
      return 'alive';
    case 'suspect':
    case 'dead':
      return name;
    case 'close':
      return status === 'dead' ? 'dead' : 'connecting'; // dead is dead until it is open again
    case 'giveup':
      return 'closed';
    default:
      return status;
  }
}

const FAULTS: Readonly<Record<string, string>> = {
  cut: 'You cut the link.',
  freeze: 'You froze the server.',
  delay: 'You changed the delay.',
  block: 'You blocked this page.',
};

/** A happening in plain words; undefined if it is not worth any. */
export function sentenceOf(happening: Happening, status: Status): string | undefined {
  const { name, silentFor, lateBy, delay, attempt, code, fault, sentence } = happening;
  const silence = `nothing heard for ${seconds(Number(silentFor))}`;
  switch (name) {
    case 'open':
      return 'Connection open.';
    case 'alive':
      return status === 'suspect' ? 'Heard again.' : undefined;
    case 'suspect':
      return `Suspect: ${silence}.`;
    case 'dead':
      return `Dead: ${silence}. The connection is given up.`;
    case 'stall':
      return `This page runs ${seconds(Number(lateBy))} late: the server is asked again.`;
    case 'close':
      return `Connection closed (${code}).`;
    case 'retry':
      return `Attempt ${attempt} to connect in ${seconds(Number(delay))}.`;
    case 'giveup':
      return 'No further attempt.';
    case 'fault':
      return FAULTS[String(fault)];
    case 'warning':
    case 'result':
      return String(sentence);
    default:
      return undefined;
  }
}
