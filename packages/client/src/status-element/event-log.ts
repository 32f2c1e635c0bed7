import type { ConnectionStatus } from '../status/status.ts';
import { type StatusWords, sentenceFor, wordFor } from './words.ts';

/** How many events are kept. */
const KEPT = 10;

export interface LoggedEvent {
  readonly at: Date;
  readonly text: string;
}

/** Keeps the last ten changes of a connection, in words. */
export class EventLog {
  #events: readonly LoggedEvent[] = [];

  /** The events, oldest first. A new list after each change. */
  get events(): readonly LoggedEvent[] {
    return this.#events;
  }

  /** Records a status, unless its words are those of the last one. */
  note(status: ConnectionStatus, words: StatusWords): void {
    const text = sentenceFor(status, words);
    if (this.#events.at(-1)?.text === text) return;
    this.#events = [...this.#events, { at: new Date(), text }].slice(-KEPT);
  }

  /** Returns a text to paste into a bug report. It contains no address and no message. */
  report(status: ConnectionStatus, words: StatusWords): string {
    const { latency, latencies } = status;
    const known = latencies.length > 0;
    const span = `${Math.round(Math.min(...latencies))} to ${Math.round(Math.max(...latencies))} ms`;
    return [
      `${wordFor(status, words)}${latency === undefined ? '' : `, ${words.latency(latency)}`}`,
      `Quality: ${status.quality}, phase: ${status.phase}`,
      ...(status.reason === undefined ? [] : [`Reason: ${status.reason}`]),
      `Last ${latencies.length} latencies: ${known ? span : 'none'}`,
      ...this.#events.map(({ at, text }) => `${at.toISOString()}  ${text}`),
    ].join('\n');
  }
}
