import type { Millis } from '../time.ts';

/** The four timestamps of one exchange, each in ms since the epoch on the clock of that side. */
export interface ClockExchange {
  /** T1: our clock when the ping was sent. */
  readonly sent: Millis;
  /** T2: the clock of the peer when the ping was received. */
  readonly peerReceived: Millis;
  /** T3: the clock of the peer when the pong was sent. */
  readonly peerSent: Millis;
  /**
   * T4: our clock when the pong was received. Preferably `sent` plus the monotonic time since then,
   * so that setting our clock in between has no effect.
   */
  readonly received: Millis;
}

interface Sample {
  readonly offset: Millis;
  readonly delay: Millis;
  /** The possible error of the clocks alone. */
  readonly dispersion: Millis;
  readonly at: Millis;
}

/** How many samples the filter keeps, §10. */
const STAGES = 8;
/** How far two clocks may drift apart in a given time: PHI of §7.2, 15 µs in a second. */
const DRIFT = 15e-6;
/** The precision of reading two clocks, §9.2: `Date.now()` returns whole milliseconds. */
const PRECISION: Millis = 1;

/**
 * Estimates how far the wall clock of the peer is ahead of ours, and the maximum error. In ms.
 *
 * D. Mills et al., "Network Time Protocol Version 4", RFC 5905: the four timestamps of §8, and the
 * filter of §10, which uses the sample with the least delay of the last eight.
 *
 * At the time of the last sample, the true offset was within `offset` ± `error`, even if the two
 * directions differ, provided that the clocks return whole milliseconds and drift by at most 15
 * ppm. A change of a clock is detected at the first sample that contradicts the older ones.
 */
export class ClockOffset {
  #samples: readonly Sample[] = [];
  #best: Sample | undefined;
  #error: Millis | undefined;

  /** The clock of the peer minus ours, in ms; undefined before the first sample. */
  get offset(): Millis | undefined {
    return this.#best?.offset;
  }

  /** The round-trip delay of the sample in use, in ms; undefined before the first sample. */
  get delay(): Millis | undefined {
    return this.#best?.delay;
  }

  /**
   * The maximum error of `offset`, in ms: half the delay, 1 ms for reading the clocks, and 15 ppm
   * of the time since that ping was sent, up to the last sample; undefined before the first sample.
   */
  get error(): Millis | undefined {
    return this.#error;
  }

  /** Adds one exchange. Ignores impossible or invalid values. */
  sample({ sent, peerReceived, peerSent, received }: ClockExchange): void {
    // §8: θ = ½ [(T2 - T1) + (T3 - T4)], δ = (T4 - T1) - (T3 - T2)
    const offset = (peerReceived - sent + (peerSent - received)) / 2;
    const delay = received - sent - (peerSent - peerReceived);
    // §9.2: ε = ρ + Φ (T4 - T1). One ρ serves both: clocks that round alike err by one in all.
    const dispersion = PRECISION + DRIFT * (received - sent);
    if (!Number.isFinite(offset) || peerSent < peerReceived) return;
    if (!(delay / 2 + dispersion >= 0)) return; // a clock was set in between
    // §8: a slightly negative delay is an error of the clocks.
    this.#shift({ offset, delay: Math.max(0, delay), dispersion, at: received });
  }

  /** Removes all samples, for example for another peer. */
  reset(): void {
    this.#samples = [];
    this.#best = this.#error = undefined;
  }

  #shift(newest: Sample): void {
    // §11.2.3: after a clock was set, older samples are invalid.
    const kept = this.#samples.filter((older) => agree(older, newest));
    this.#samples = [newest, ...kept].slice(0, STAGES);
    // §10: the least delay; the newest of several.
    this.#best = this.#samples.reduce((one, other) => (other.delay < one.delay ? other : one));
    this.#error = distance(this.#best, newest.at);
  }
}

/** §10: λ = δ / 2 + ε, where ε grows with age. */
function distance({ delay, dispersion, at }: Sample, now: Millis): Millis {
  return delay / 2 + dispersion + DRIFT * Math.abs(now - at);
}

/** Whether some offset is possible for both samples. */
function agree(older: Sample, newest: Sample): boolean {
  const apart = Math.abs(older.offset - newest.offset);
  return apart <= distance(older, newest.at) + distance(newest, newest.at);
}
