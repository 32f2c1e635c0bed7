import { InvalidOptionError, type Millis } from '@wirebeat/core';
import type { CloseReason, CloseRecord } from '../reconnect/close-record.ts';
import { inWords } from './duration-words.ts';

const REASONS: Record<CloseReason, (record: CloseRecord) => string> = {
  'ping-timeout': () => 'The link was dead: nothing was received for `pingTimeout` after a ping',
  'one-way': () => 'The link was dead in one direction: messages arrived, but no pongs',
  'max-silence': () =>
    'Nothing was received for `maxSilence` from a peer that does not answer pings',
  'connect-timeout': () => 'The connection did not open within `connectTimeout`',
  'ready-timeout': () => '`ready` did not resolve within `readyTimeout`',
  'not-ready': () => '`ready` failed',
  'no-address': () => 'The function that returns the address or the subprotocols failed',
  unanswered: () => 'No ping was answered, but a ping on a second connection was',
  'peer-close': (record) => `The peer closed${withCode(record)}`,
  fatal: (record) => `The peer closed the connection for good${withCode(record)}`,
  abnormal: ({ wasOpen }) =>
    wasOpen ? 'The connection ended without a Close frame' : 'The connection could not be opened',
  rotation: () => 'The connection had reached `maxAge` and was replaced',
  replaced: () => 'The connection was suspect, and a second one was answered first',
  reconnect: () => '`reconnect()` was called',
  parked: () => 'The page was hidden, and the connection was parked',
  user: () => '`close()` was called',
};

/**
 * Describes in plain words how a connection ended, and the evidence. Rounds durations, and omits
 * what is not known.
 *
 * @throws {InvalidOptionError} if `record` is no close record, such as a `close` event.
 */
export function explain(record: CloseRecord): string {
  if (!Object.hasOwn(REASONS, Object(record).reason)) {
    throw new InvalidOptionError('record', 'a CloseRecord', record);
  }
  const evidence = evidenceOf(record);
  const known = evidence.length > 0 ? ` (${evidence.join(', ')})` : '';
  return `${REASONS[record.reason](record)}${known}.`;
}

/** Quotes the text of the peer, so that it adds no control characters. */
export function withCode({ code, text }: Pick<CloseRecord, 'code' | 'text'>): string {
  return ` with ${code}${text === '' ? '' : ` ${JSON.stringify(text)}`}`;
}

function evidenceOf(record: CloseRecord): string[] {
  const { missedPings = 0, bufferedAmount = 0 } = record;
  const clauses = [
    record.status !== undefined && `HTTP status ${record.status}`,
    timed(record.age, (time) => `open for ${time}`),
    timed(record.silentFor, (time) => `last received ${time} before`),
    timed(record.quietFor, (time) => `last sent ${time} before`),
    missedPings > 0 && `${count(missedPings, 'ping')} without a pong`,
    timed(record.latency, (time) => `last latency ${time}`),
    bufferedAmount > 0 && `${count(bufferedAmount, 'byte')} not sent`,
    timed(record.lateBy, (time) => `timers were late by ${time}`),
    record.hidden === true && 'the page was hidden',
    timed(record.retryAfter, (time) => `the server asked to wait ${time}`),
  ];
  return clauses.filter((clause) => clause !== false);
}

function timed(time: Millis | undefined, clause: (time: string) => string): string | false {
  return time !== undefined && clause(inWords(time));
}

/** Returns `1 ping`, `2 pings`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
