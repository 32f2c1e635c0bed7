import type { Instant, Scheduler, Timer } from '../time.ts';

/**
 * A timer that is set very often, and replaces its system timer only if it is due earlier.
 *
 * Every message on a connection moves its deadline later. Setting a system timer each time would
 * cost more than the message. Instead, the current timer fires early, and is then set again.
 */
export class LazyTimer {
  readonly #scheduler: Scheduler;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #due: Instant = Number.POSITIVE_INFINITY;

  /**
   * Calls `ring` at the set time or earlier; `ring` must check the clock and set the timer again.
   */
  constructor(scheduler: Scheduler, ring: () => void) {
    this.#scheduler = scheduler;
    this.#ring = ring;
  }

  /** Calls `ring` at `due`, or at an earlier time set before. `Infinity` for never. */
  set(due: Instant): void {
    if (due === Number.POSITIVE_INFINITY) return this.cancel();
    if (this.#due <= due) return;
    this.cancel();
    this.#due = due;
    this.#timer = this.#scheduler.at(due, () => {
      this.#timer = undefined;
      this.#due = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#due = Number.POSITIVE_INFINITY;
  }
}
