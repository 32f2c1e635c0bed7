import type { Millis, Scheduler } from '../time.ts';

/** 2026-01-01T00:00:00Z. */
const NEW_YEAR: Millis = 1_767_225_600_000;

/** A wall clock that runs with virtual time and can be set. */
export class WallClock {
  readonly #scheduler: Scheduler;
  #epoch: Millis;

  /** Shows `start` now, in ms since the epoch. */
  constructor(scheduler: Scheduler, start: Millis = NEW_YEAR) {
    this.#scheduler = scheduler;
    this.#epoch = start - scheduler.now();
  }

  /** In whole ms since the epoch, as `Date.now()`. */
  now(): Millis {
    return Math.floor(this.#epoch + this.#scheduler.now());
  }

  /** Sets the clock forward by `by` ms, or backward if `by` is negative. */
  jump(by: Millis): void {
    this.#epoch += by;
  }
}
