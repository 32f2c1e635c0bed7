import type { Instant, Millis } from '../time.ts';
import type { RttEstimator } from './rtt-estimator.ts';

/**
 * The deadline before the first sample: 3 s, as in RFC 2988 (2.1), which RFC 6298 lowered to 1 s.
 */
const INITIAL: Millis = 3_000;
/** The factor of each false suspicion: small, so that the deadline fits the network closely. */
const STEP = 1.25;
/** The maximum of all factors together. */
const MAX_PATIENCE = 20;
/** The time that undoes one step: in the long run, at most four false suspicions an hour. */
const CALM: Millis = 900_000;

/**
 * Computes when an answer is overdue: SRTT + 4 × RTTVAR (RFC 6298), in [suspectAfter, pingTimeout].
 *
 * The round-trip time says nothing about outages. So each false suspicion makes the wait longer, as
 * in Lifeguard (A. Dadgar et al., "Lifeguard: Local Health Awareness for More Accurate Failure
 * Detection", DSN 2018), and time makes it shorter again. If outages are common, the wait settles
 * where the two balance. Elapsed time decides, not the number of answers, because a busy connection
 * has thousands of answers between two outages.
 */
export class SuspectWait {
  #patience = 1; // the factor at `#since`
  #since: Instant = 0;

  /**
   * Returns how long to wait, in ms, before the peer is suspect. `floor` applies before the factor.
   */
  wait(rtt: RttEstimator, floor: Millis, pingTimeout: Millis, now: Instant): Millis {
    const expected = Math.max(floor, rtt.timeout(INITIAL));
    return Math.min(Math.round(expected * this.patienceAt(now)), pingTimeout);
  }

  /** Records that a suspect peer was alive. */
  wasFalse(now: Instant): void {
    this.#patience = Math.min(STEP * this.patienceAt(now), MAX_PATIENCE);
    this.#since = now;
  }

  /** The factor of the wait at `now`; 1 if no false suspicion makes it longer. */
  patienceAt(now: Instant): number {
    if (this.#patience === 1) return 1; // the usual case, without the cost of `**`
    const calm = Math.max(0, now - this.#since);
    return Math.max(1, this.#patience * STEP ** (-calm / CALM));
  }
}
