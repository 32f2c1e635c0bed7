import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';

/** How often the watch looks, in ms. */
const LOOK: Millis = 500;
/** A timer that is late by more shows that the process did not run. */
const LATE: Millis = 1_000;

/** Notices that the process did not run: SIGSTOP, a blocked event loop, a paused machine. */
export class StallWatch {
  readonly #scheduler: Scheduler;
  #timer: Timer | undefined;
  #last: { readonly at: Instant; readonly lateBy: Millis } | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    const due = this.#scheduler.now() + LOOK;
    this.#timer = this.#scheduler.at(due, () => {
      const now = this.#scheduler.now();
      if (now - due > LATE) this.#last = { at: now, lateBy: now - due };
      this.#timer = undefined;
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The last stall, and how long ago it ended. */
  get last(): { readonly lateBy: Millis; readonly endedFor: Millis } | undefined {
    const last = this.#last;
    return last && { lateBy: last.lateBy, endedFor: this.#scheduler.now() - last.at };
  }
}
