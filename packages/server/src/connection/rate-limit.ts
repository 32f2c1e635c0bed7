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

  /**
   * Returns the instant to store after one more event at `now`, or `undefined` if it is not allowed.
   * `fullAt` is the instant stored after the event before it, `-Infinity` at first.
   */
  static next(
    fullAt: Instant,
    now: Instant,
    { burst, interval }: RateLimitOptions,
  ): Instant | undefined {
    const next = Math.max(now, fullAt) + interval;
    return next - now > burst * interval ? undefined : next;
  }

  /** Returns whether one more event is allowed now, and counts it if so. */
  take(now: Instant, options: RateLimitOptions): boolean {
    const next = RateLimit.next(this.#fullAt, now, options);
    if (next === undefined) return false;
    this.#fullAt = next;
    return true;
  }
}
