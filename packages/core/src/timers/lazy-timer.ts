import type { Instant, Scheduler, Timer } from '../time.ts';

/**
 * One timer that is set again and again, and touched only when it must come earlier.
 *
 * Life on a connection moves its deadline later with every message. A timer for each would cost
 * more than the message: this one is left to fire early, and is then set for the rest.
 */
export class LazyTimer {
  readonly #scheduler: Scheduler;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #due: Instant = Number.POSITIVE_INFINITY;

  /** Calls `ring` at the instant set, or earlier; `ring` looks at the clock and sets it anew. */
  constructor(scheduler: Scheduler, ring: () => void) {
    this.#scheduler = scheduler;
    this.#ring = ring;
  }

  /** Rings at `due` or, if it was set for an earlier instant, then. `Infinity`: not at all. */
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
