import { InvalidOptionError, type Millis } from '@wirebeat/core';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import {
  COUNTERS,
  GAUGES,
  type HeartbeatSource,
  HISTOGRAMS,
  type Labels,
  type MetricsSink,
  watchMetrics,
} from './metrics.ts';
import { QualityRecords } from './quality-records.ts';

export type { HeartbeatSource } from './metrics.ts';

/** Options of {@link exportMetrics}. */
export interface PrometheusOptions {
  /** The registry for the metrics: `register` of the prom-client that serves your metrics. */
  readonly registry: Registry;
  /** Prefix of every metric name. @default 'wirebeat_' */
  readonly prefix?: string;
  /**
   * Whether to count connections by the quality of their link, by the rule of `statusOf` in
   * `@wirebeat/client/status`. Remembers the last latencies of each connection, in up to 1 kB.
   * @default false
   */
  readonly quality?: boolean;
}

const SECOND: Millis = 1_000;

/**
 * Exports the heartbeat metrics of a server to Prometheus, with durations in seconds and the suffix
 * `_total` for counters. Returns a function that stops the export and removes the metrics from the
 * registry.
 *
 * A registry accepts each name once: a second server needs another prefix or another registry.
 *
 * The registry has no default. If two copies of prom-client are installed, the default registry of the
 * other copy would accept the metrics but never serve them.
 *
 * @throws {InvalidOptionError} if `registry` is missing.
 * @throws {Error} from prom-client, if the registry already has one of the names.
 */
export function exportMetrics(heartbeat: HeartbeatSource, options: PrometheusOptions): () => void {
  const { registry, prefix = 'wirebeat_', quality = false } = options ?? {};
  if (typeof registry?.registerMetric !== 'function') {
    throw new InvalidOptionError('registry', '`register` of your prom-client', registry);
  }
  const records = quality ? new QualityRecords() : undefined;
  const registers = [registry];
  const counters = made(COUNTERS, (name, { help, labels: labelNames, known }) => {
    const counter = new Counter({ name: `${prefix}${name}_total`, help, labelNames, registers });
    for (const labels of known) counter.inc(labels as Labels, 0);
    return counter;
  });
  const histograms = made(HISTOGRAMS, (name, { help, labels: labelNames, bounds }) => {
    const buckets = bounds.map((bound) => bound / SECOND);
    return new Histogram({
      name: `${prefix}${name}_seconds`,
      help,
      labelNames,
      buckets,
      registers,
    });
  });
  const gauges = made(GAUGES, (name, { help, labels: labelNames, read }) => {
    const collect = function (this: Gauge) {
      for (const [labels, value] of read(heartbeat, records)) this.set(labels, value);
    };
    return new Gauge({ name: `${prefix}${name}`, help, labelNames, registers, collect });
  });
  const sink: MetricsSink = {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels as Labels, by),
    record: (name, duration, labels) => histograms.get(name)?.observe(labels, duration / SECOND),
  };
  const end = watchMetrics(heartbeat, sink, records);
  return () => {
    end();
    for (const metrics of [counters, histograms, gauges]) {
      for (const { name } of metrics.values() as Iterable<{ name?: string }>) {
        registry.removeSingleMetric(name as string);
      }
    }
  };
}

interface Described {
  readonly help: string;
  readonly labels: readonly string[];
}

/** Creates one metric for each description, by name. */
function made<Description extends Described, Metric>(
  descriptions: Readonly<Record<string, Description>>,
  make: (name: string, description: Description & { labels: string[] }) => Metric,
): ReadonlyMap<string, Metric> {
  const entries = Object.entries(descriptions).map(([name, description]): [string, Metric] => {
    return [name, make(name, { ...description, labels: [...description.labels] })];
  });
  return new Map(entries);
}
