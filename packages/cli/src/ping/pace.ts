import type { Instant, Millis } from '@wirebeat/core';

/** How many pings may be sent without a pause. */
const BURST = 25;
/** Time in ms per ping in the long run. */
const INTERVAL: Millis = 200;

/**
 * Limits how often pings are sent, so that a small interval is no flood: `@wirebeat/server` accepts 50
 * pings at once and five per second in the long run, and closes connections that send more.
 */
export class Pace {
  #fullAt: Instant = Number.NEGATIVE_INFINITY;

  /** Counts a ping at `now` and returns the time at which the next one may be sent. */
  next(now: Instant): Instant {
    this.#fullAt = Math.max(now, this.#fullAt) + INTERVAL;
    return Math.max(now, this.#fullAt - (BURST - 1) * INTERVAL);
  }
}
