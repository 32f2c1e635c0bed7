import type { RttEstimator } from './rtt-estimator.ts';
import type { Millis } from './time.ts';

/** The adaptive deadline before the first sample, RFC 6298 (2.1) in its older, calmer form. */
const INITIAL: Millis = 3_000;
/** The least adaptive deadline, RFC 6298 (2.4). */
const FLOOR: Millis = 1_000;
/** The most that false suspicions multiply it by. */
const MAX_PATIENCE = 8;
/** Answers in time after which patience is halved again. */
const CALM = 32;

/**
 * When an answer is overdue: SRTT + 4 × RTTVAR after RFC 6298, in [1 s, pingTimeout].
 *
 * After a false suspicion it waits twice as long, as Lifeguard does (A. Dadgar et al., "Lifeguard:
 * Local Health Awareness for More Accurate Failure Detection", DSN 2018), and half as long again
 * after 32 answers without one.
 */
export class Suspicion {
  /** Of a peer that was never suspected falsely. Not to be told of one. */
  static readonly initial: Suspicion = new Suspicion();
  #patience = 1;
  #calm = 0;

  /** How long to wait for an answer until its peer is suspect. */
  wait(rtt: RttEstimator, pingTimeout: Millis): Millis {
    const expected = Math.max(FLOOR, rtt.timeout(INITIAL));
    return Math.min(expected * this.#patience, pingTimeout);
  }

  /** The peer was suspect, and lives. */
  wasFalse(): void {
    this.#patience = Math.min(2 * this.#patience, MAX_PATIENCE);
    this.#calm = 0;
  }

  /** An answer came before it was overdue. */
  wasTimely(): void {
    if (this.#patience === 1) return;
    this.#calm += 1;
    if (this.#calm < CALM) return;
    this.#patience /= 2;
    this.#calm = 0;
  }
}
