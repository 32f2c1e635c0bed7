import type { Instant, Millis } from '@wirebeat/core';

/** How many events a {@link RateLimit} allows. */
export interface RateLimitOptions {
  /** Number of events allowed at once. */
  readonly burst: number;
  /** Time in ms per event in the long run. */
  readonly interval: Millis;
}

/**
 * Allows `burst` events at once, and one per `interval` in the long run.
 *
 * A leaky bucket that stores a single instant: the Generic Cell Rate Algorithm of ITU-T I.371, Annex A.
 */
export class RateLimit {
  #fullAt: Instant = Number.NEGATIVE_INFINITY;

  /** Returns whether one more event is allowed now, and counts it if so. */
  take(now: Instant, { burst, interval }: RateLimitOptions): boolean {
    const fullAt = Math.max(now, this.#fullAt) + interval;
    if (fullAt - now > burst * interval) return false;
    this.#fullAt = fullAt;
    return true;
  }
}
