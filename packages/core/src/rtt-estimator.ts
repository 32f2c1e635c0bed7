import type { Millis } from './time.ts';

/**
 * Round-trip time, smoothed.
 *
 * V. Paxson et al., "Computing TCP's Retransmission Timer", RFC 6298 §2.
 * Karn's rule (§3) is kept by the caller: a sample that is ambiguous is never given.
 */
export class RttEstimator {
  /** The last sample; undefined until the first. */
  latest: Millis | undefined;
  /** SRTT; undefined until the first sample. */
  smoothed: Millis | undefined;
  /** RTTVAR; 0 until the first sample. */
  variation: Millis = 0;
  /** The smallest sample; undefined until the first. */
  minimum: Millis | undefined;

  sample(rtt: Millis): void {
    this.latest = rtt;
    if (this.smoothed === undefined || this.minimum === undefined) {
      this.smoothed = rtt; // (2.2)
      this.variation = rtt / 2;
      this.minimum = rtt;
      return;
    }
    // (2.3) RTTVAR first: it is taken against the old SRTT.
    this.variation += (Math.abs(this.smoothed - rtt) - this.variation) / 4;
    this.smoothed += (rtt - this.smoothed) / 8;
    this.minimum = Math.min(this.minimum, rtt);
  }

  /** How long an answer may be expected to take: SRTT + 4 × RTTVAR (2.3), or `initial` (2.1). */
  timeout(initial: Millis): Millis {
    return this.smoothed === undefined ? initial : this.smoothed + 4 * this.variation;
  }
}
