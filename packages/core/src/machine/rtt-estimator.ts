import type { Millis } from '../time.ts';

const NONE = -1;
const MICROS = 1_000; // per millisecond

/** A sample this many times smaller than SRTT shows that answers are no longer slow. */
const RESTART = 4;

/**
 * Smooths the round-trip time. All values are in ms.
 *
 * V. Paxson et al., "Computing TCP's Retransmission Timer", RFC 6298 §2.
 * The caller follows Karn's rule (§3): it passes no ambiguous samples.
 *
 * It starts afresh when answers are suddenly quick again: pages are busy while they load, and networks have outages. By
 * the RFC alone, one slow answer among quick ones is felt for a minute of one ping a second.
 *
 * Values are stored in whole microseconds: a fraction takes 16 bytes, a small integer none.
 */
export class RttEstimator {
  #latest = NONE;
  #smoothed = NONE; // SRTT
  #variation = 0; // RTTVAR
  #minimum = NONE;

  /** The last sample; undefined before the first. */
  get latest(): Millis | undefined {
    return inMillis(this.#latest);
  }

  /** SRTT; undefined before the first sample. */
  get smoothed(): Millis | undefined {
    return inMillis(this.#smoothed);
  }

  /** RTTVAR; 0 before the first sample. */
  get variation(): Millis {
    return this.#variation / MICROS;
  }

  /** The smallest sample; undefined before the first. */
  get minimum(): Millis | undefined {
    return inMillis(this.#minimum);
  }

  /** Reads its four values from `words`, in whole µs. */
  load(words: Int32Array, at: number): void {
    this.#latest = words[at] as number;
    this.#smoothed = words[at + 1] as number;
    this.#variation = words[at + 2] as number;
    this.#minimum = words[at + 3] as number;
  }

  /** Writes its four values to `words`. */
  save(words: Int32Array, at: number): void {
    words[at] = this.#latest;
    words[at + 1] = this.#smoothed;
    words[at + 2] = this.#variation;
    words[at + 3] = this.#minimum;
  }

  sample(rtt: Millis): void {
    const sample = Math.round(rtt * MICROS);
    if (!(sample >= 0)) return; // the clock ran backwards, or `rtt` is not a number
    this.#latest = sample;
    this.#minimum = this.#minimum === NONE ? sample : Math.min(this.#minimum, sample);
    if (this.#smoothed === NONE || RESTART * sample < this.#smoothed) {
      this.#smoothed = sample; // (2.2)
      this.#variation = Math.round(sample / 2);
      return;
    }
    // (2.3) RTTVAR first, because it is computed from the old SRTT.
    const deviation = Math.abs(this.#smoothed - sample);
    this.#variation += Math.round((deviation - this.#variation) / 4);
    this.#smoothed += Math.round((sample - this.#smoothed) / 8);
  }

  /** The longest expected round trip: SRTT + 4 × RTTVAR (2.3); `initial` before a sample (2.1). */
  timeout(initial: Millis): Millis {
    if (this.#smoothed === NONE) return initial;
    return Math.round((this.#smoothed + 4 * this.#variation) / MICROS);
  }
}

function inMillis(micros: number): Millis | undefined {
  return micros === NONE ? undefined : micros / MICROS;
}
