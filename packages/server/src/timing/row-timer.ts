import type { Instant, Row, Scheduler, Timer } from '@wirebeat/core';
import type { RowWheel } from './row-wheel.ts';

/**
 * The timers of a connection that is not a row at present. One at a time runs when the row is met, which
 * takes no memory in the timing wheel: otherwise, a peak such as the reconnect of all clients would fill
 * the wheel for good. The others are those of the wheel.
 */
export class RowTimer implements Scheduler {
  readonly #wheel: Scheduler;
  readonly #rows: RowWheel;
  readonly #row: Row;
  #waiting: { readonly due: Instant; readonly callback: () => void } | undefined;

  constructor(wheel: Scheduler, rows: RowWheel, row: Row) {
    this.#wheel = wheel;
    this.#rows = rows;
    this.#row = row;
  }

  now(): Instant {
    return this.#wheel.now();
  }

  at(due: Instant, callback: () => void): Timer {
    if (this.#waiting !== undefined) return this.#wheel.at(due, callback);
    const waiting = { due, callback };
    this.#waiting = waiting;
    this.#rows.list(this.#row, due);
    return {
      cancel: () => {
        if (this.#waiting === waiting) this.#waiting = undefined;
      },
    };
  }

  /** The row was met. */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    if (waiting.due > this.now()) return this.#rows.list(this.#row, waiting.due);
    this.#waiting = undefined;
    waiting.callback();
  }
}
