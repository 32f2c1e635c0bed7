import type { Millis } from '@wirebeat/core';
import type { ConnectionStatus } from '../status/status.ts';

/** The words of a {@link StatusElement}, to be replaced for another language. */
export interface StatusWords {
  readonly connecting: string;
  readonly good: string;
  readonly slow: string;
  readonly poor: string;
  readonly lost: string;
  readonly closed: string;
  readonly retryNow: string;
  readonly retrying: string;
  readonly retryIn: (seconds: number) => string;
  readonly latency: (latency: Millis) => string;
  /** Why there is no connection; `undefined` for nothing. */
  readonly cause: (status: ConnectionStatus) => string | undefined;
  /** Describes the chart to those who cannot see it. */
  readonly chart: (count: number, lowest: Millis, highest: Millis) => string;
  readonly events: string;
  readonly copy: string;
  readonly copied: string;
  readonly notCopied: string;
}

/** The words in English. */
export const ENGLISH: StatusWords = {
  connecting: 'Connecting',
  good: 'Connected',
  slow: 'Slow connection',
  poor: 'Unstable connection',
  lost: 'Offline',
  closed: 'Disconnected',
  retryNow: 'Retry now',
  retrying: 'Trying to connect…',
  retryIn: (seconds) => `Next attempt in ${seconds} s.`,
  latency: (latency) => `${Math.max(1, Math.round(latency))} ms`,
  cause: ({ cause }) => cause,
  chart: (count, lowest, highest) =>
    `Latency of the last ${count} answers, from ${Math.round(lowest)} to ${Math.round(highest)} ms`,
  events: 'Recent events',
  copy: 'Copy report',
  copied: 'Copied.',
  notCopied: 'The browser did not allow copying.',
};

/** Returns the word for the state that is shown. */
export function wordFor({ phase, shown }: ConnectionStatus, words: StatusWords): string {
  return phase === 'closed' ? words.closed : words[shown];
}

/** Returns what happened, in a sentence for the list of events. */
export function sentenceFor(status: ConnectionStatus, words: StatusWords): string {
  if (status.phase === 'dialling') return words.retrying;
  return (status.phase !== 'open' && words.cause(status)) || wordFor(status, words);
}
