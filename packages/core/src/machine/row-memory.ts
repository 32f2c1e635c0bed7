import type { Instant, Millis } from '../time.ts';
import { OWNER_INSTANT, PINGED, RECEIVED, ROW_WORDS, SENT } from './row.ts';

const GROWTH = 1.125; // an eighth is free at worst
const FIRST_ROWS = 64;
/** When the origin moves on, in ms. */
const EPOCH: Millis = 2 ** 30;
const INSTANTS = [SENT, RECEIVED, PINGED, OWNER_INSTANT, OWNER_INSTANT + 1];
const NEVER: Instant = Number.POSITIVE_INFINITY;

/**
 * The memory and the clock of all rows of a table. Rows hold instants in whole ms since an origin. 32
 * bits hold 24 days, so the origin moves on after twelve.
 */
export class RowMemory {
  words: Int32Array = new Int32Array(FIRST_ROWS * ROW_WORDS);
  origin: Instant = 0;
  now: Instant = 0;
  /** The number of rows that were ever in use. */
  size = 0;
  readonly #free: number[] = [];

  /** Returns a row whose words are all 0. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.size * ROW_WORDS === this.words.length) this.#grow();
    this.size += 1;
    return this.size - 1;
  }

  release(row: number): void {
    this.words.fill(0, row * ROW_WORDS, (row + 1) * ROW_WORDS);
    this.#free.push(row);
  }

  /** Advances the clock, and returns its time. It never runs backwards. */
  advance(now: Instant): Instant {
    if (now > this.now && now < NEVER) {
      if (now - this.origin > EPOCH) this.#moveOrigin(Math.floor(now));
      this.now = now;
    }
    return this.now;
  }

  /** An instant that is too old for a row becomes as old as a row can hold: overdue all the same. */
  #moveOrigin(to: Instant): void {
    const { words } = this;
    const by = to - this.origin;
    for (let at = 0; at < this.size * ROW_WORDS; at += ROW_WORDS) {
      for (const word of INSTANTS) {
        words[at + word] = Math.max((words[at + word] as number) - by, -EPOCH);
      }
    }
    this.origin = to;
  }

  #grow(): void {
    const { words } = this;
    const rows = Math.ceil((words.length / ROW_WORDS) * GROWTH);
    this.words = new Int32Array(rows * ROW_WORDS);
    this.words.set(words);
  }
}
