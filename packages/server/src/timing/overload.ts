import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';

/**
 * Two stalls within this time, in ms, mean overload. A single one may be a laptop's sleep or one long
 * task.
 */
const CLOSE: Millis = 60_000;
/**
 * Time in ms without a stall after which the overload is over. It is long compared with a ping
 * interval, so that the state does not flap.
 */
const CALM: Millis = 300_000;

/**
 * Detects from the stalls of this process that it is overloaded. Overload begins with the second stall
 * within a minute and ends after five minutes without a stall.
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

  /**
   * Reports that a timer fired `lateBy` ms late. Very many connections report the same stall; it counts
   * once.
   */
  stalled(lateBy: Millis): void {
    const now = this.#scheduler.now();
    const before = this.#stalledAt;
    this.#stalledAt = now;
    if (now - lateBy <= before) return; // it was due before the last report, so it belongs to the same stall
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
