import { LatencyHistogram } from '@wirebeat/core';

/** In ms. */
export interface Latencies {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly mdev: number;
  readonly p95: number;
}

/** What a run of pings came to, in the words of ping(8). */
export class PingStatistics {
  sent = 0;
  received = 0;
  #min: number = Number.POSITIVE_INFINITY;
  #max: number = Number.NEGATIVE_INFINITY;
  #mean = 0;
  readonly #histogram: LatencyHistogram = new LatencyHistogram();
  #squares = 0; // of the distances from the mean, summed up

  /** Counts a pong. Welford 1962: one pass, and no difference of two large sums. */
  receive(latency: number): void {
    this.received += 1;
    const distance = latency - this.#mean;
    this.#mean += distance / this.received;
    this.#squares += distance * (latency - this.#mean);
    this.#min = Math.min(this.#min, latency);
    this.#max = Math.max(this.#max, latency);
    this.#histogram.record(latency);
  }

  /** Part of the pings that no pong answered, in [0, 1]. 0 before the first ping. */
  get loss(): number {
    return this.sent === 0 ? 0 : (this.sent - this.received) / this.sent;
  }

  /**
   * Latencies in ms; undefined before the first pong. `mdev` is their standard deviation, `p95` what 19
   * of 20 do not exceed, within 2 %.
   */
  get latency(): Latencies | undefined {
    if (this.received === 0) return undefined;
    const mdev = Math.sqrt(this.#squares / this.received);
    const p95 = this.#histogram.percentile(95) ?? this.#max;
    const within = Math.min(Math.max(p95, this.#min), this.#max); // a bucket is wider than they are apart
    return { min: this.#min, avg: this.#mean, max: this.#max, mdev, p95: within };
  }
}
