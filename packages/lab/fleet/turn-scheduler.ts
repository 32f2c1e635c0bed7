import { type Instant, type Scheduler, SystemScheduler, type Timer } from '@wirebeat/core';

/**
 * The system clock, but constant within a turn of the event loop: everything in one turn happens at one
 * instant, however long a busy machine takes for it.
 */
export class TurnScheduler implements Scheduler {
  readonly #system = new SystemScheduler();
  #now: Instant | undefined;
  #due: Instant | undefined;

  now(): Instant {
    this.#now ??= this.#begin();
    return this.#now;
  }

  /** When the current callback was due: the instant of the timer that ran last in this turn, or now. */
  get due(): Instant {
    return this.#due ?? this.now();
  }

  at(due: Instant, callback: () => void): Timer {
    return this.#system.at(due, () => {
      this.now(); // the turn has begun
      this.#due = due;
      callback();
    });
  }

  #begin(): Instant {
    setImmediate(() => {
      this.#now = undefined;
      this.#due = undefined;
    });
    return this.#system.now();
  }
}
