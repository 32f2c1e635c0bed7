import type { Instant } from '@wirebeat/core';
import { count, explain } from './close-words.ts';
import type { End } from './diagnosis.ts';
import { inWords } from './duration-words.ts';

/** One thing that happened to a socket that reconnects. */
export interface Fact {
  readonly at: Instant;
  /** An event, or `dial`, `end`, `state`, `hint`, `recovered`. */
  readonly name: string;
  /** What the event told; of `end` the {@link End}, of `state` what the page became. */
  readonly detail: unknown;
  /** How often in a row: what comes in floods is kept as one. */
  times: number;
}

/** What is read of the details. */
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
  close: 'it is over',
  undeliverable: 'they cannot be delivered',
};

const SENTENCES: Readonly<Record<string, (detail: Details) => string>> = {
  dial: () => 'A connection was dialled.',
  open: () => 'It opened.',
  suspect: ({ silentFor }) => `Suspect: nothing received for ${inWords(silentFor)}.`,
  recovered: () => 'Alive after all.',
  dead: ({ silentFor }) => `Dead: nothing received for ${inWords(silentFor)}.`,
  stall: ({ lateBy }) => `We did not run for ${inWords(lateBy)}; the peer is asked anew.`,
  unanswered: ({ reason }) =>
    reason === 'foreign-protocol'
      ? 'The subprotocol has no place for pings: there are none.'
      : `The peer ${reason === 'refused' ? 'closes at our first ping' : 'answers no pings'}: there are no more.`,
  retry: ({ attempt, delay }) => `Attempt ${attempt} follows in ${inWords(delay)}.`,
  giveup: ({ attempts }) => `Given up after ${count(attempts, 'attempt')}.`,
  drop: ({ count: messages, reason }) => `${count(messages, 'message')} dropped: ${DROPS[reason]}.`,
  hint: () => 'The page or the network changed: asked whether the link lives.',
};

/** Says a fact in one sentence. */
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

/** What the messages of errors may be that tell no secret: all others may have the address in them. */
const PLAIN = /^Unexpected server response: \d{3}$/;

/** Names an error by its class and code. Its message may hold a token, and is left out. */
function nameOf(error: unknown): string {
  const { name, code, message, cause } = Object(error) as Record<string, unknown>;
  const known = [name, code, PLAIN.test(String(message)) && message].filter(
    (part) => typeof part === 'string',
  );
  const words = known.join(' ') || typeof error;
  return cause === undefined ? words : `${words}, caused by ${nameOf(cause)}`;
}
