import type { Millis } from '../time.ts';

/** The maximum relative error of a percentile. */
const RELATIVE_ERROR = 0.02;
/** Ratio of a bucket's upper end to its lower: γ of §2.1. */
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** Lower latencies count as this one: no clock of a runtime distinguishes them. */
const MIN_LATENCY: Millis = 0.01;
/** Higher latencies count as this one: ten minutes; no ping waits longer than one. */
const MAX_LATENCY: Millis = 600_000;
/** 449 buckets of 8 bytes each. */
const BUCKETS = bucketOf(MAX_LATENCY) + 1;

/**
 * Computes percentiles of latencies in a fixed 3.6 kB, however many are recorded. In ms.
 *
 * C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
 * Relative-Error Guarantees", PVLDB 12(12), 2019; a fixed range stands for its collapsing buckets.
 *
 * A percentile is within 2 % of a recorded latency, in [0.01, 600 000] ms. Values outside of this
 * range count as the nearer end. Several connections may share one histogram.
 */
export class LatencyHistogram {
  /** The counts. Not 32-bit integers, because a busy server makes them overflow within days. */
  readonly #buckets: Float64Array = new Float64Array(BUCKETS);
  #count = 0;

  /** The number of recorded latencies. */
  get count(): number {
    return this.#count;
  }

  /** Records a latency in ms. Ignores invalid values, such as NaN or a negative number. */
  record(latency: Millis): void {
    if (!(latency >= 0 && latency < Number.POSITIVE_INFINITY)) return;
    this.#add(bucketOf(latency), 1);
  }

  /**
   * Returns the smallest latency, in ms, that `p` percent of the recorded ones do not exceed;
   * undefined before the first, and if `p` is not in [0, 100].
   */
  percentile(p: number): Millis | undefined {
    if (!(p >= 0 && p <= 100)) return undefined;
    const rank = Math.max(1, Math.ceil((p * this.#count) / 100));
    let seen = 0;
    for (const [bucket, count] of this.#buckets.entries()) {
      seen += count;
      if (seen >= rank) return middleOf(bucket);
    }
    return undefined;
  }

  /** Adds the latencies recorded by `other`. The error does not grow. */
  merge(other: LatencyHistogram): void {
    for (const [bucket, count] of other.#buckets.entries()) this.#add(bucket, count);
  }

  /** Removes all latencies. */
  reset(): void {
    this.#buckets.fill(0);
    this.#count = 0;
  }

  #add(bucket: number, count: number): void {
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + count;
    this.#count += count;
  }
}

/** §2.1: bucket i holds (γ^(i-1), γ^i], here in units of MIN_LATENCY. */
function bucketOf(latency: Millis): number {
  const clamped = Math.min(Math.max(latency, MIN_LATENCY), MAX_LATENCY);
  return Math.ceil(Math.log(clamped / MIN_LATENCY) / LOG_GAMMA);
}

/** Lemma 2: as far, in parts, from the bucket's lower end as from its upper. */
function middleOf(bucket: number): Millis {
  return (MIN_LATENCY * 2 * GAMMA ** bucket) / (GAMMA + 1);
}
