import type { Millis } from '../time.ts';

const NONE = -1;
const MICROS = 1_000; // in a Millis

/**
 * Round-trip time, smoothed.
 *
 * V. Paxson et al., "Computing TCP's Retransmission Timer", RFC 6298 §2.
 * Karn's rule (§3) is kept by the caller: a sample that is ambiguous is never given.
 *
 * Kept in whole microseconds: a small integer takes no memory of its own, a fraction takes 16 bytes.
 */
export class RttEstimator {
  #latest = NONE;
  #smoothed = NONE; // SRTT
  #variation = 0; // RTTVAR
  #minimum = NONE;

  /** The last sample; undefined until the first. */
  get latest(): Millis | undefined {
    return inMillis(this.#latest);
  }

  /** SRTT; undefined until the first sample. */
  get smoothed(): Millis | undefined {
    return inMillis(this.#smoothed);
  }

  /** RTTVAR; 0 until the first sample. */
  get variation(): Millis {
    return this.#variation / MICROS;
  }

  /** The smallest sample; undefined until the first. */
  get minimum(): Millis | undefined {
    return inMillis(this.#minimum);
  }

  sample(rtt: Millis): void {
    const sample = Math.round(rtt * MICROS);
    if (!(sample >= 0)) return; // a clock that ran backwards, or no number
    this.#latest = sample;
    if (this.#smoothed === NONE) {
      this.#smoothed = this.#minimum = sample; // (2.2)
      this.#variation = Math.round(sample / 2);
      return;
    }
    // (2.3) RTTVAR first: it is taken against the old SRTT.
    const deviation = Math.abs(this.#smoothed - sample);
    this.#variation += Math.round((deviation - this.#variation) / 4);
    this.#smoothed += Math.round((sample - this.#smoothed) / 8);
    this.#minimum = Math.min(this.#minimum, sample);
  }

  /** How long an answer may be expected to take: SRTT + 4 × RTTVAR (2.3), or `initial` (2.1). */
  timeout(initial: Millis): Millis {
    if (this.#smoothed === NONE) return initial;
    return Math.round((this.#smoothed + 4 * this.#variation) / MICROS);
  }
}

function inMillis(micros: number): Millis | undefined {
  return micros === NONE ? undefined : micros / MICROS;
}
