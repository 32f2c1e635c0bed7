import type { Instant, Millis } from '@wirebeat/core';

/** How much of something is let through. */
export interface RateLimitOptions {
  /** How many at once. */
  readonly burst: number;
  /** In the long run one in this time. */
  readonly interval: Millis;
}

/**
 * Lets `burst` through at once, and one an `interval` in the long run.
 *
 * A leaky bucket by one instant, as the Generic Cell Rate Algorithm has it: ITU-T I.371, Annex A.
 */
export class RateLimit {
  #fullAt: Instant = Number.NEGATIVE_INFINITY;

  /** Whether one more may pass now. */
  take(now: Instant, { burst, interval }: RateLimitOptions): boolean {
    const fullAt = Math.max(now, this.#fullAt) + interval;
    if (fullAt - now > burst * interval) return false;
    this.#fullAt = fullAt;
    return true;
  }
}
