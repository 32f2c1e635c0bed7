import { type Instant, LatencyHistogram, type Millis } from '@wirebeat/core';
import type { ConnectionEvents, EndReason, RefuseReason } from '../events.ts';
import type { Hop, Side } from './side.ts';

/** Latencies of one hop, in ms. Percentiles are accurate to 2 %. */
export interface LatencySummary {
  readonly count: number;
  readonly sum: Millis;
  readonly min: Millis;
  readonly mean: Millis;
  readonly p50: Millis;
  readonly p95: Millis;
  readonly p99: Millis;
  readonly max: Millis;
}

/** The counters of a gateway since it was created. They only increase. */
export interface GatewayCounters {
  /** Connections opened, with both handshakes done. */
  readonly accepted: number;
  readonly refused: Readonly<Record<RefuseReason, number>>;
  readonly ended: Readonly<Record<EndReason, number>>;
  readonly bytesFromPages: number;
  readonly bytesFromUpstreams: number;
  readonly framesFromPages: number;
  readonly framesFromUpstreams: number;
  /** Application pings received from pages. */
  readonly pingsFromPages: number;
  /** Application pongs sent to pages. */
  readonly pongsToPages: number;
  /** Texts from upstreams that looked exactly like heartbeats and were therefore dropped. */
  readonly beatsFromUpstreams: number;
  /** Protocol Pings sent to upstreams: those for pages, and the gateway's own. */
  readonly pingsToUpstreams: number;
  /** Times that this process did not run; each counts once, not per connection. */
  readonly stalls: number;
}

/** The latencies of each hop over all connections. A hop is absent before its first pong. */
export type GatewayLatencies = { readonly [Name in Hop | 'endToEnd']?: LatencySummary };

/** Latencies of one hop over all connections. */
class Latencies {
  readonly #histogram: LatencyHistogram = new LatencyHistogram();
  #sum = 0;
  #min: Millis = Number.POSITIVE_INFINITY;
  #max: Millis = 0;

  record(latency: Millis): void {
    this.#histogram.record(latency);
    this.#sum += latency;
    this.#min = Math.min(this.#min, latency);
    this.#max = Math.max(this.#max, latency);
  }

  get summary(): LatencySummary | undefined {
    const { count } = this.#histogram;
    if (count === 0) return undefined;
    const [sum, min, max] = [this.#sum, this.#min, this.#max];
    // The middle of a histogram bucket may lie outside the recorded range.
    const at = (p: number) => Math.min(Math.max(this.#histogram.percentile(p) ?? 0, min), max);
    return { count, sum, min, mean: sum / count, p50: at(50), p95: at(95), p99: at(99), max };
  }
}

/** Counts the events of a gateway. */
export class TrafficCount {
  accepted = 0;
  bytesFromPages = 0;
  bytesFromUpstreams = 0;
  framesFromPages = 0;
  framesFromUpstreams = 0;
  pingsFromPages = 0;
  pongsToPages = 0;
  beatsFromUpstreams = 0;
  pingsToUpstreams = 0;
  stalls = 0;
  #stalledAt: Instant = Number.NEGATIVE_INFINITY;
  readonly refused: Record<RefuseReason, number> = {
    'bad-request': 0,
    'not-allowed': 0,
    'too-many': 0,
    memory: 0,
    draining: 0,
    'no-upstream': 0,
    'upstream-refused': 0,
    'upstream-unreachable': 0,
    'upstream-timeout': 0,
    'upstream-invalid': 0,
    error: 0,
    gone: 0,
  };
  readonly ended: Record<EndReason, number> = {
    closed: 0,
    abnormal: 0,
    'upstream-dead': 0,
    'page-dead': 0,
    unresponsive: 0,
    flood: 0,
    'protocol-error': 0,
    'too-big': 0,
    'upstream-invalid': 0,
    drain: 0,
    terminated: 0,
  };
  readonly latency: Readonly<Record<Hop | 'endToEnd', Latencies>> = {
    page: new Latencies(),
    browser: new Latencies(),
    upstream: new Latencies(),
    endToEnd: new Latencies(),
  };

  /** Counts what has come from a side. */
  passed(side: Side, bytes: number, frames: number): void {
    const from = side === 'page' ? 'Pages' : 'Upstreams';
    this[`bytesFrom${from}`] += bytes;
    this[`framesFrom${from}`] += frames;
  }

  /** Counts a stall. Each connection reports the same one: a timer due before the last report belongs to it. */
  stalled(now: Instant, lateBy: Millis): void {
    if (now - lateBy > this.#stalledAt) this.stalls += 1;
    this.#stalledAt = now;
  }

  /** Records the latency of a hop, and of the whole way if the browser does not stand for the page. */
  answered({ hop, latency, sampled }: ConnectionEvents['pong'], endToEnd?: Millis): void {
    if (!sampled) return;
    this.latency[hop].record(latency);
    if (hop !== 'browser' && endToEnd !== undefined) this.latency.endToEnd.record(endToEnd);
  }

  get latencies(): GatewayLatencies {
    const latencies = Object.entries(this.latency).map(([hop, { summary }]) => [hop, summary]);
    return Object.fromEntries(latencies.filter(([, summary]) => summary !== undefined));
  }

  get counters(): GatewayCounters {
    const { latency: _, refused, ended, ...numbers } = this;
    return { ...numbers, refused: { ...refused }, ended: { ...ended } };
  }
}
