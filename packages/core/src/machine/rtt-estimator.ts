import type { Millis } from '../time.ts';

const MICROS = 1_000; // per millisecond

/** A sample this many times smaller than SRTT shows that answers are no longer slow. */
const RESTART = 4;

/**
 * Smooths the round-trip time.
 *
 * V. Paxson et al., "Computing TCP's Retransmission Timer", RFC 6298 §2.
 * The caller follows Karn's rule (§3): it passes no ambiguous samples.
 *
 * It starts afresh when answers are suddenly quick again: pages are busy while they load, and
 * networks have outages. By the RFC alone, the effect of one slow answer among quick ones lasts for
 * about 60 pings.
 *
 * The fields are in whole microseconds, so that three words of a typed array can hold them. They
 * are negative before the first sample.
 */
export class RttEstimator {
  latest = -1;
  /** SRTT */
  smoothed = -1;
  /** RTTVAR */
  variation = 0;

  sample(rtt: Millis): void {
    const sample = Math.round(rtt * MICROS);
    if (!(sample >= 0)) return; // the clock ran backwards, or `rtt` is not a number
    this.latest = sample;
    const error = sample - this.smoothed;
    if (this.smoothed < 0 || RESTART * sample < this.smoothed) {
      this.smoothed = sample; // (2.2)
      this.variation = Math.round(sample / 2);
      return;
    }
    // (2.3) Both use the error against the old SRTT.
    this.variation += Math.round((Math.abs(error) - this.variation) / 4);
    this.smoothed += Math.round(error / 8);
  }

  /** The longest expected round trip: SRTT + 4 × RTTVAR (2.3); `initial` before a sample (2.1). */
  timeout(initial: Millis): Millis {
    if (this.smoothed < 0) return initial;
    return Math.round((this.smoothed + 4 * this.variation) / MICROS);
  }
}
