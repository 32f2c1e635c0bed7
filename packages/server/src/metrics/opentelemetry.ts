import { type Meter, metrics, type ObservableResult } from '@opentelemetry/api';
import type { Millis } from '@wirebeat/core';
import {
  COUNTERS,
  GAUGES,
  type HeartbeatSource,
  HISTOGRAMS,
  type MetricsSink,
  watchMetrics,
} from './metrics.ts';
import { QualityRecords } from './quality-records.ts';

export type { HeartbeatSource } from './metrics.ts';

/** Options of {@link exportMetrics}. */
export interface OpenTelemetryOptions {
  /** The meter for the metrics. @default the meter named `wirebeat` of the global provider */
  readonly meter?: Meter;
  /** Prefix of every metric name. @default 'wirebeat.' */
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
 * Exports the heartbeat metrics of a server to OpenTelemetry, with durations in seconds. Returns a
 * function that stops the export.
 */
export function exportMetrics(
  heartbeat: HeartbeatSource,
  {
    meter = metrics.getMeter('wirebeat'),
    prefix = 'wirebeat.',
    quality = false,
  }: OpenTelemetryOptions = {},
): () => void {
  const records = quality ? new QualityRecords() : undefined;
  const counters = new Map(
    Object.entries(COUNTERS).map(([name, { help: description, known }]) => {
      const counter = meter.createCounter(`${prefix}${name}`, { description });
      for (const labels of known) counter.add(0, labels);
      return [name, counter];
    }),
  );
  const histograms = new Map(
    Object.entries(HISTOGRAMS).map(([name, { help: description, bounds }]) => {
      const advice = { explicitBucketBoundaries: bounds.map((bound) => bound / SECOND) };
      const options = { description, unit: 's', advice };
      return [name, meter.createHistogram(`${prefix}${name}`, options)];
    }),
  );
  const gauges = Object.entries(GAUGES).map(([name, { help: description, read }]) => {
    const gauge = meter.createObservableGauge(`${prefix}${name}`, { description });
    const observe = (result: ObservableResult) => {
      for (const [labels, value] of read(heartbeat, records)) result.observe(value, labels);
    };
    gauge.addCallback(observe);
    return { gauge, observe };
  });
  const sink: MetricsSink = {
    count: (name, labels, by = 1) => counters.get(name)?.add(by, labels),
    record: (name, duration, labels) => histograms.get(name)?.record(duration / SECOND, labels),
  };
  const end = watchMetrics(heartbeat, sink, records);
  return () => {
    end();
    for (const { gauge, observe } of gauges) gauge.removeCallback(observe);
  };
}
