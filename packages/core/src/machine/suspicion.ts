import type { Instant, Millis } from '../time.ts';
import type { RttEstimator } from './rtt-estimator.ts';

/** The adaptive deadline before the first sample, RFC 6298 (2.1) in its older, calmer form. */
const INITIAL: Millis = 3_000;
/** What a false suspicion multiplies it by: small steps come nearer to what the network needs. */
const STEP = 1.25;
/** The most that they multiply it by. */
const MAX_PATIENCE = 20;
/** Takes one step back: so no network draws more than four of them an hour in the long run. */
const CALM: Millis = 900_000;

/**
 * When an answer is overdue: SRTT + 4 × RTTVAR after RFC 6298, in [suspectAfter, pingTimeout].
 *
 * That knows how long answers take, and nothing of outages. Each false suspicion makes it more
 * patient, as in Lifeguard (A. Dadgar et al., "Lifeguard: Local Health Awareness for More Accurate
 * Failure Detection", DSN 2018), and time takes that back: where outages are common it settles at
 * the wait at which false suspicions come as often as they are forgotten. Time, and not the number
 * of answers, for a busy connection has thousands of them between two outages.
 */
export class Suspicion {
  /** Of a peer that was never suspected falsely. Not to be told of one. */
  static readonly initial: Suspicion = new Suspicion();
  #patience = 1; // as it was at
  #since: Instant = 0;

  /** How long to wait for an answer until its peer is suspect: at least `floor`, before patience. */
  wait(rtt: RttEstimator, floor: Millis, pingTimeout: Millis, now: Instant): Millis {
    const expected = Math.max(floor, rtt.timeout(INITIAL));
    return Math.min(Math.round(expected * this.#patienceAt(now)), pingTimeout);
  }

  /** The peer was suspect, and lives. */
  wasFalse(now: Instant): void {
    this.#patience = Math.min(STEP * this.#patienceAt(now), MAX_PATIENCE);
    this.#since = now;
  }

  #patienceAt(now: Instant): number {
    if (this.#patience === 1) return 1; // nearly all, nearly always, and a power costs
    const calm = Math.max(0, now - this.#since);
    return Math.max(1, this.#patience * STEP ** (-calm / CALM));
  }
}
