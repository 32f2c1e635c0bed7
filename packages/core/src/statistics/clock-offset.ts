import type { Millis } from '../time.ts';

/** The four instants of one exchange, each in ms since the epoch by the clock of who notes it. */
export interface ClockExchange {
  /** T1: our clock as the question went out. */
  readonly sent: Millis;
  /** T2: the peer's clock as it came in. */
  readonly peerReceived: Millis;
  /** T3: the peer's clock as the answer went out. */
  readonly peerSent: Millis;
  /**
   * T4: our clock as that came in. Best taken as `sent` and the monotonic time that has passed
   * since: then our clock cannot be set in between.
   */
  readonly received: Millis;
}

interface Sample {
  readonly offset: Millis;
  readonly delay: Millis;
  /** What the clocks alone may have got wrong. */
  readonly dispersion: Millis;
  readonly at: Millis;
}

/** How many samples the filter keeps, §10. */
const STAGES = 8;
/** How far two clocks may drift apart in a given time: PHI of §7.2, 15 µs in a second. */
const DRIFT = 15e-6;
/** How exactly two clocks can be read, §9.2: `Date.now()` tells whole milliseconds. */
const PRECISION: Millis = 1;

/**
 * How far the peer's wall clock is ahead of ours, and how wrong that may be.
 *
 * D. Mills et al., "Network Time Protocol Version 4", RFC 5905: the four timestamps of §8, and the
 * filter of §10, by which the least delayed of the last eight samples counts.
 *
 * As the last sample came, the true offset was within `offset` ± `error`, however unlike the two
 * directions are. That takes clocks that tell whole milliseconds and drift apart by 15 ppm at most.
 * A clock that is set is noticed at the first sample that contradicts the older ones.
 */
export class ClockOffset {
  #samples: readonly Sample[] = [];
  #best: Sample | undefined;
  #error: Millis | undefined;

  /** The peer's clock less ours; undefined until the first sample. */
  get offset(): Millis | undefined {
    return this.#best?.offset;
  }

  /** How long the sample that counts was on its way, there and back; undefined until the first. */
  get delay(): Millis | undefined {
    return this.#best?.delay;
  }

  /**
   * The most by which `offset` may be wrong: half the delay, 1 ms for reading the clocks, and 15 ppm
   * of the time from its question to the last sample; undefined until the first.
   */
  get error(): Millis | undefined {
    return this.#error;
  }

  /** Takes in one exchange. One that cannot have been, or is no number, is passed over. */
  sample({ sent, peerReceived, peerSent, received }: ClockExchange): void {
    // §8: θ = ½ [(T2 - T1) + (T3 - T4)], δ = (T4 - T1) - (T3 - T2)
    const offset = (peerReceived - sent + (peerSent - received)) / 2;
    const delay = received - sent - (peerSent - peerReceived);
    // §9.2: ε = ρ + Φ (T4 - T1). One ρ serves both: clocks that round alike err by one in all.
    const dispersion = PRECISION + DRIFT * (received - sent);
    if (!Number.isFinite(offset) || peerSent < peerReceived) return;
    if (!(delay / 2 + dispersion >= 0)) return; // a clock was set in between
    // §8: a little less than nothing is the clocks' own error.
    this.#shift({ offset, delay: Math.max(0, delay), dispersion, at: received });
  }

  /** Forgets all, as for another peer. */
  reset(): void {
    this.#samples = [];
    this.#best = this.#error = undefined;
  }

  #shift(newest: Sample): void {
    // §11.2.3: once a clock was set, what it showed before is invalid.
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

/** Whether there is an offset that both samples allow. */
function agree(older: Sample, newest: Sample): boolean {
  const apart = Math.abs(older.offset - newest.offset);
  return apart <= distance(older, newest.at) + distance(newest, newest.at);
}
