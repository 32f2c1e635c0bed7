import { type Resolved, resolveOptions } from './check-options.ts';
import { InvalidOptionError } from './errors.ts';
import type { Millis } from './time.ts';

/** How long to wait before each attempt to connect. Delays are in ms, in (0, 2^31 - 1]. */
export interface BackoffOptions {
  /** The first delay, before jitter shortens it. @default 500 */
  readonly minDelay?: Millis;
  /** The maximum of every delay. @default 30_000 */
  readonly maxDelay?: Millis;
  /** The factor by which the maximum grows from one attempt to the next, in [1, 100]. @default 2 */
  readonly factor?: number;
  /**
   * How a delay is drawn, where d is its maximum: `full` from [0, d), `equal` from [d/2, d), `none`
   * always d.
   * @default 'full'
   */
  readonly jitter?: 'full' | 'equal' | 'none';
  /** Returns random numbers in [0, 1). */
  readonly random: () => number;
}

/** The options of a {@link Backoff}. Durations are in ms. */
export const BACKOFF_SCHEMA = {
  minDelay: { type: 'duration', default: 500 }, // most losses are brief
  maxDelay: { type: 'duration', default: 30_000 }, // spares the server, and still reconnects soon
  factor: { type: 'number', default: 2, min: 1, max: 100 },
  jitter: { type: 'choice', of: ['full', 'equal', 'none'], default: 'full' },
  random: { type: 'function', required: true },
} as const;

/**
 * Computes the delays between attempts to connect: exponential, capped, with jitter.
 *
 * Marc Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015): full jitter spreads
 * the attempts of many clients evenly. Jitter is applied after the cap, so that capped delays vary.
 */
export class Backoff {
  readonly #options: Resolved<BackoffOptions, typeof BACKOFF_SCHEMA>;

  /** The number of delays drawn since the last reset. */
  attempt = 0;

  /** @throws {InvalidOptionError} if an option is out of range or `minDelay > maxDelay`. */
  constructor(options: BackoffOptions) {
    this.#options = resolveOptions(BACKOFF_SCHEMA, options, 'backoff');
    const { minDelay, maxDelay } = this.#options;
    if (minDelay > maxDelay) {
      throw new InvalidOptionError('minDelay', `<= maxDelay (${maxDelay})`, minDelay);
    }
  }

  /**
   * Returns the next delay in ms: in [0, d) with full jitter, in [d/2, d) with equal jitter, and d
   * without jitter, where d = min(maxDelay, minDelay × factor^attempt).
   */
  next(): Millis {
    const { minDelay, maxDelay, factor, jitter, random } = this.#options;
    const delay = Math.min(maxDelay, minDelay * factor ** this.attempt); // may be Infinity before
    this.attempt += 1;
    if (jitter === 'none') return delay;
    return delay * (jitter === 'full' ? random() : (1 + random()) / 2);
  }

  /** Starts again at the first delay. */
  reset(): void {
    this.attempt = 0;
  }
}
