import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';

/** Two stalls so close together are no accident, as a laptop's sleep or one long task is. */
const CLOSE: Millis = 60_000;
/** So long without a stall, and the load is over. Long against an interval: no to and fro. */
const CALM: Millis = 300_000;

/**
 * Tells from the stalls of this process when it has more to do than it can: at the second within a
 * minute, until there was none for five.
 */
export class Overload {
  readonly #scheduler: Scheduler;
  readonly #changed: (isOn: boolean) => void;
  #stalledAt: Instant = Number.NEGATIVE_INFINITY;
  #isOn = false;
  #timer: Timer | undefined;

  constructor(scheduler: Scheduler, changed: (isOn: boolean) => void) {
    this.#scheduler = scheduler;
    this.#changed = changed;
  }

  /** A timer was late. Of one stall very many connections tell; it counts once. */
  stalled(lateBy: Millis): void {
    const now = this.#scheduler.now();
    const before = this.#stalledAt;
    this.#stalledAt = now;
    if (now - lateBy <= before) return; // it was due before the last one had been told
    if (this.#isOn || now - before > CLOSE) return;
    this.#isOn = true;
    this.#wait();
    this.#changed(true);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#scheduler.at(this.#stalledAt + CALM, () => {
      if (this.#scheduler.now() < this.#stalledAt + CALM) return this.#wait();
      this.#isOn = false;
      this.#changed(false);
    });
  }
}
