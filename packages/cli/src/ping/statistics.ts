import { LatencyHistogram } from '@wirebeat/core';

/** Latencies in ms. */
export interface Latencies {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly mdev: number;
  readonly p95: number;
}

/** The statistics of a run of pings, with the names of ping(8). */
export class PingStatistics {
  sent = 0;
  /** Pongs, including late ones. */
  received = 0;
  /** Pongs that came after the timeout of their ping. */
  late = 0;
  #min: number = Number.POSITIVE_INFINITY;
  #max: number = Number.NEGATIVE_INFINITY;
  #mean = 0;
  readonly #histogram: LatencyHistogram = new LatencyHistogram();
  #squares = 0; // sum of the squared distances from the mean

  /**
   * Counts a pong. Uses Welford's algorithm (1962): one pass, without the difference of two large sums.
   */
  receive(latency: number): void {
    this.received += 1;
    const distance = latency - this.#mean;
    this.#mean += distance / this.received;
    this.#squares += distance * (latency - this.#mean);
    this.#min = Math.min(this.#min, latency);
    this.#max = Math.max(this.#max, latency);
    this.#histogram.record(latency);
  }

  /** Number of pings without a pong. TCP loses nothing, so these may still be answered. */
  get unanswered(): number {
    return this.sent - this.received;
  }

  /**
   * Latencies in ms, or `undefined` before the first pong. `mdev` is the standard deviation. `p95` is
   * the 95th percentile, accurate to 2 %.
   */
  get latency(): Latencies | undefined {
    if (this.received === 0) return undefined;
    const mdev = Math.sqrt(this.#squares / this.received);
    const p95 = this.#histogram.percentile(95) ?? this.#max;
    // A histogram bucket can be wider than the range of the latencies.
    const within = Math.min(Math.max(p95, this.#min), this.#max);
    return { min: this.#min, avg: this.#mean, max: this.#max, mdev, p95: within };
  }
}
