import { type ConnectionTable, type Instant, ROW_WORDS, type Row } from '@wirebeat/core';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';

/** How far ahead of the present an instant in a word may be, in ms. */
const MAX_AHEAD = 2 ** 30;

/** The `pingLimit` of each client. Its state is one word of the client's row, if it fits. */
export class RowLimits {
  readonly #table: ConnectionTable;
  readonly #word: number;
  /** The state of clients for which it does not fit into a word. */
  readonly #full: Map<Row, Instant> = new Map();

  /** `word`: which word of a row has the state. */
  constructor(table: ConnectionTable, word: number) {
    this.#table = table;
    this.#word = word;
  }

  /** Returns whether the client may send a ping now, and counts it if so. */
  admits(row: Row, now: Instant, pingLimit: RateLimitOptions): boolean {
    const { words, origin } = this.#table;
    const word = row * ROW_WORDS + this.#word;
    const { burst, interval } = pingLimit;
    if (burst === Number.POSITIVE_INFINITY) return true;
    const isWord = Number.isInteger(interval) && burst * interval < MAX_AHEAD;
    const before = isWord ? origin + (words[word] as number) : this.#full.get(row);
    const next = RateLimit.next(before ?? origin, isWord ? Math.floor(now) : now, pingLimit);
    if (next === undefined) return false;
    if (isWord) words[word] = next - origin;
    else this.#full.set(row, next);
    return true;
  }

  remove(row: Row): void {
    this.#full.delete(row);
  }
}
