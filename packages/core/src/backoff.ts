import { InvalidOptionError } from './errors.ts';
import { BACKOFF_SCHEMA, type BackoffOptions } from './options.ts';
import { type Resolved, resolveOptions } from './schema.ts';
import type { Millis } from './time.ts';

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
