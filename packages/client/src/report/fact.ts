import type { Instant } from '@wirebeat/core';
import type { End } from './diagnosis.ts';
import { inWords } from './duration-words.ts';
import { count, explain } from './explain.ts';

/** One event in the history of a {@link ReconnectingWebSocket}. */
export interface Fact {
  readonly at: Instant;
  /** The name of an event, or `dial`, `end`, `state`, `hint`, `recovered`. */
  readonly name: string;
  /** The detail of the event; for `end` the {@link End}, for `state` the new state of the page. */
  readonly detail: unknown;
  /** How often it happened in a row: repeated facts are kept as one. */
  times: number;
}

/** The parts of the details that are used. */
interface Details {
  readonly attempt: number;
  readonly attempts: number;
  readonly count: number;
  readonly delay: number;
  readonly lateBy: number;
  readonly reason: string;
  readonly silentFor: number;
}

const DROPS: Readonly<Record<string, string>> = {
  overflow: 'the queue is full',
  close: '`close()` was called or the client gave up',
  undeliverable: 'they cannot be delivered',
};

const SENTENCES: Readonly<Record<string, (detail: Details) => string>> = {
  dial: () => 'A connection was dialled.',
  open: () => 'It opened.',
  suspect: ({ silentFor }) => `Suspect: nothing received for ${inWords(silentFor)}.`,
  recovered: () => 'Alive again: the suspicion was false.',
  dead: ({ silentFor }) => `Dead: nothing received for ${inWords(silentFor)}.`,
  stall: ({ lateBy }) =>
    `A timer was ${inWords(lateBy)} late; another ping is sent before any verdict.`,
  unanswered: ({ reason }) =>
    reason === 'foreign-protocol'
      ? 'The subprotocol has no place for pings, so none are sent.'
      : `The peer ${reason === 'refused' ? 'closes at the first ping' : 'does not answer pings'}, so no more are sent.`,
  retry: ({ attempt, delay }) => `Attempt ${attempt} follows in ${inWords(delay)}.`,
  giveup: ({ attempts }) => `Given up after ${count(attempts, 'attempt')}.`,
  drop: ({ count: messages, reason }) => `${count(messages, 'message')} dropped: ${DROPS[reason]}.`,
  hint: () => 'The page or the network changed: a ping was sent to check the link.',
};

/** Describes a fact in one sentence. */
export function tell({ name, detail, times }: Fact): string {
  const often = times > 1 ? ` (${times} times)` : '';
  return `${sentenceOf(name, detail)}${often}`;
}

function sentenceOf(name: string, detail: unknown): string {
  if (name === 'end') return explain(detail as End);
  if (name === 'state') return `The page became ${detail}.`;
  if (name === 'error') return `Error: ${nameOf(detail)}.`;
  return SENTENCES[name]?.(detail as Details) ?? `${name}.`;
}

/** The error messages that contain no secret. All others may contain the address. */
const PLAIN = /^Unexpected server response: \d{3}$/;

/** Describes an error by its class and code. Omits its message, which may contain a token. */
function nameOf(error: unknown): string {
  const { name, code, message, cause } = Object(error) as Record<string, unknown>;
  const known = [name, code, PLAIN.test(String(message)) && message].filter(
    (part) => typeof part === 'string',
  );
  const words = known.join(' ') || typeof error;
  return cause === undefined ? words : `${words}, caused by ${nameOf(cause)}`;
}
