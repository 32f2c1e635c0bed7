import { type Meter, metrics, type ObservableResult } from '@opentelemetry/api';
import type { Millis } from '@wirebeat/core';
import {
  COUNTERS,
  connectionsByStatus,
  GAUGES,
  type HeartbeatSource,
  HISTOGRAMS,
  watchMetrics,
} from './metrics.ts';

export type { HeartbeatSource } from './metrics.ts';

/** Options of {@link exportMetrics}. */
export interface OpenTelemetryOptions {
  /** @default that of the name `wirebeat`, from the global provider */
  readonly meter?: Meter;
  /** What every name begins with. @default 'wirebeat.' */
  readonly prefix?: string;
}

const SECOND: Millis = 1_000;

/**
 * Shows the heartbeats of a server to OpenTelemetry, durations in seconds. Returns what ends that.
 */
export function exportMetrics(
  heartbeat: HeartbeatSource,
  { meter = metrics.getMeter('wirebeat'), prefix = 'wirebeat.' }: OpenTelemetryOptions = {},
): () => void {
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
  const { help: description } = GAUGES.connections;
  const gauge = meter.createObservableGauge(`${prefix}connections`, { description });
  const observe = (result: ObservableResult) => {
    for (const [status, count] of connectionsByStatus(heartbeat)) result.observe(count, { status });
  };
  gauge.addCallback(observe);
  const end = watchMetrics(heartbeat, {
    count: (name, labels) => counters.get(name)?.add(1, labels),
    record: (name, duration, labels) => histograms.get(name)?.record(duration / SECOND, labels),
  });
  return () => {
    end();
    gauge.removeCallback(observe);
  };
}
