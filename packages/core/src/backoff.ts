import { InvalidOptionError } from './errors.ts';
import {
  type BackoffOptions,
  checkFunction,
  checkNames,
  DEFAULTS,
  duration,
  numberWithin,
} from './options.ts';
import type { Millis } from './time.ts';

const JITTERS = ['full', 'equal', 'none'] as const;

/**
 * Computes the delays between attempts to connect: exponential, capped, with jitter.
 *
 * Marc Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015): full jitter spreads
 * the attempts of many clients evenly. Jitter is applied after the cap, so that capped delays vary.
 */
export class Backoff {
  readonly #minDelay: Millis;
  readonly #maxDelay: Millis;
  readonly #factor: number;
  readonly #jitter: (typeof JITTERS)[number];
  readonly #random: () => number;

  /** The number of delays drawn since the last reset. */
  attempt = 0;

  /** @throws {InvalidOptionError} if an option is out of range or `minDelay > maxDelay`. */
  constructor(options: BackoffOptions) {
    checkNames('backoff', options, ['minDelay', 'maxDelay', 'factor', 'jitter', 'random']);
    this.#minDelay = duration('minDelay', options.minDelay, DEFAULTS.minDelay);
    this.#maxDelay = duration('maxDelay', options.maxDelay, DEFAULTS.maxDelay);
    this.#factor = numberWithin('factor', options.factor, DEFAULTS.factor, 1, 100);
    this.#jitter = options.jitter ?? 'full';
    this.#random = checkFunction('random', options.random);
    if (this.#random === undefined) throw new InvalidOptionError('random', 'a function', undefined);
    if (!JITTERS.includes(this.#jitter)) {
      throw new InvalidOptionError('jitter', `one of ${JITTERS.join(', ')}`, this.#jitter);
    }
    if (this.#minDelay > this.#maxDelay) {
      throw new InvalidOptionError('minDelay', `<= maxDelay (${this.#maxDelay})`, this.#minDelay);
    }
  }

  /**
   * Returns the next delay in ms: in [0, d) with full jitter, in [d/2, d) with equal jitter, and d
   * without jitter, where d = min(maxDelay, minDelay × factor^attempt).
   */
  next(): Millis {
    const grown = this.#minDelay * this.#factor ** this.attempt; // may be Infinity, and is capped
    const delay = Math.min(this.#maxDelay, grown);
    this.attempt += 1;
    if (this.#jitter === 'none') return delay;
    const share = this.#jitter === 'full' ? this.#random() : (1 + this.#random()) / 2;
    return delay * share;
  }

  /** Starts again at the first delay. */
  reset(): void {
    this.attempt = 0;
  }
}
