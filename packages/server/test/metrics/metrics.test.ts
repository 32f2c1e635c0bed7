import { readFileSync } from 'node:fs';
import { metrics as api } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import {
  COUNTERS,
  connectionsByStatus,
  GAUGES,
  HISTOGRAMS,
  watchMetrics,
} from '../../src/metrics/metrics.ts';
import { exportMetrics as exportToOpenTelemetry } from '../../src/metrics/opentelemetry.ts';
import { exportMetrics as exportToPrometheus } from '../../src/metrics/prometheus.ts';

type Listener = (event: never) => void;

const PAGE = new URL('../../../../docs/how-to/metrics.md', import.meta.url);

/** A server's heartbeat that emits what a test asks for. */
class FakeHeartbeat {
  readonly isIsolated = true;
  readonly presentUsers = 7;
  readonly listeners: [name: string, listener: Listener][] = [];
  readonly connections: Map<object, { status: string; isResponsive: boolean | undefined }> =
    new Map();

  on(name: string, listener: Listener): void {
    this.listeners.push([name, listener]);
  }

  off(name: string, listener: Listener): void {
    const at = this.listeners.findIndex(([of, each]) => of === name && each === listener);
    if (at !== -1) this.listeners.splice(at, 1);
  }

  report(name: string, event: object): void {
    for (const [of, listener] of [...this.listeners]) if (of === name) listener(event as never);
  }

  /** Something of each kind. */
  live(): void {
    const renewal = { operation: 'renew', duration: 2 };
    for (const outcome of ['ok', 'lost', 'failed'])
      this.report('registry', { ...renewal, outcome });
    this.report('isolated', {});
    this.report('reaped', { count: 3 });
    this.report('ping', { tier: 'transport' });
    this.report('ping', { tier: 'application' });
    this.report('pong', { socket: {}, tier: 'transport', latency: 20, sampled: true });
    this.report('pong', { socket: {}, tier: 'transport', latency: 9_000, sampled: false });
    this.report('dead', { reason: 'ping-timeout', silentFor: 45_000 });
    this.report('unresponsive', { silentFor: 30_000 });
    this.report('end', { reason: 'flood' });
    this.report('end', { reason: 'closed' });
    this.connections.set({}, { status: 'alive', isResponsive: true });
    this.connections.set({}, { status: 'alive', isResponsive: undefined });
    this.connections.set({}, { status: 'alive', isResponsive: false });
    this.connections.set({}, { status: 'suspect', isResponsive: true });
  }
}

describe('watchMetrics', () => {
  it('counts one stall once, however many connections report it', () => {
    const heartbeat = new FakeHeartbeat();
    let stalls = 0;
    const end = watchMetrics(heartbeat, {
      count: (name) => {
        if (name === 'stalls') stalls += 1;
      },
      record: () => {},
    });
    for (let connection = 0; connection < 50; connection += 1)
      heartbeat.report('stall', { lateBy: 900 });
    expect(stalls).toBe(1);
    end();
    expect(heartbeat.listeners).toEqual([]);
  });

  it('counts a silent page apart from responsive ones', () => {
    const heartbeat = new FakeHeartbeat();
    heartbeat.live();
    expect(Object.fromEntries(connectionsByStatus(heartbeat))).toEqual({
      alive: 2,
      suspect: 1,
      unresponsive: 1,
    });
  });
});

describe('for Prometheus', () => {
  it('has every figure, in its units and with its labels', async () => {
    const [registry, heartbeat] = [new Registry(), new FakeHeartbeat()];
    exportToPrometheus(heartbeat, { registry });
    heartbeat.live();
    heartbeat.report('stall', { lateBy: 900 });
    const text = await registry.metrics();
    for (const line of [
      'wirebeat_pings_total{tier="transport"} 1',
      'wirebeat_pings_total{tier="application"} 1',
      'wirebeat_pongs_total{tier="transport"} 2',
      'wirebeat_timeouts_total{tier="transport",reason="ping-timeout"} 1',
      'wirebeat_timeouts_total{tier="application",reason="unresponsive"} 1',
      'wirebeat_floods_total 1',
      'wirebeat_registry_calls_total{operation="renew",outcome="ok"} 2',
      'wirebeat_registry_calls_total{operation="renew",outcome="failed"} 1',
      'wirebeat_registry_calls_total{operation="claim",outcome="ok"} 0',
      'wirebeat_registry_seconds_sum{operation="renew"} 0.006',
      'wirebeat_leases_lost_total 1',
      'wirebeat_isolations_total 1',
      'wirebeat_reaped_total 3',
      'wirebeat_isolated 1',
      'wirebeat_present_users 7',
      'wirebeat_stalls_total 1',
      'wirebeat_ends_total{reason="closed"} 1',
      'wirebeat_connections{status="alive"} 2',
      'wirebeat_connections{status="unresponsive"} 1',
      'wirebeat_latency_seconds_bucket{le="0.01",tier="transport"} 0',
      'wirebeat_latency_seconds_bucket{le="0.025",tier="transport"} 1',
      'wirebeat_latency_seconds_count{tier="transport"} 1',
      'wirebeat_silence_seconds_sum{reason="ping-timeout"} 45',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    const names = registry.getMetricsAsArray().map(({ name }) => name);
    expect(names).toHaveLength([COUNTERS, HISTOGRAMS, GAUGES].flatMap(Object.keys).length);
  });

  it('counts connections by the quality of their link if it is asked to', async () => {
    const [registry, heartbeat] = [new Registry(), new FakeHeartbeat()];
    exportToPrometheus(heartbeat, { registry, quality: true });
    const [good, slow, poor] = [{}, {}, {}];
    for (const socket of [good, slow, poor]) {
      heartbeat.connections.set(socket, { status: 'alive', isResponsive: true });
      const pong = { socket, latency: 20, sampled: true };
      heartbeat.report('pong', { ...pong, tier: 'application', latency: 3_000 });
      heartbeat.report('pong', { ...pong, tier: 'transport' });
      heartbeat.report('pong', { ...pong, tier: 'application', latency: 3_000 });
      heartbeat.report('pong', { ...pong, tier: 'transport', latency: 9_000, sampled: false });
    }
    for (let n = 0; n < 2; n += 1) heartbeat.report('suspect', { socket: slow });
    heartbeat.connections.set(poor, { status: 'suspect', isResponsive: true });
    heartbeat.report('suspect', { socket: {} });
    const lines = (await registry.metrics()).split('\n');
    for (const quality of ['good', 'slow', 'poor']) {
      expect(lines).toContain(`wirebeat_connection_quality{quality="${quality}"} 1`);
    }
  });

  it('needs a registry, because the default would be that of another copy of prom-client', () => {
    const message = /^Expected `registry` to be `register` of your prom-client, got `undefined`/;
    // @ts-expect-error: it must be given
    expect(() => exportToPrometheus(new FakeHeartbeat())).toThrow(message);
    // @ts-expect-error: likewise
    expect(() => exportToPrometheus(new FakeHeartbeat(), { prefix: 'a_' })).toThrow(message);
  });

  it('begins every series at 0, so that its first event shows as an increase', async () => {
    const registry = new Registry();
    exportToPrometheus(new FakeHeartbeat(), { registry });
    const lines = (await registry.metrics()).split('\n');
    expect(lines).toContain('wirebeat_timeouts_total{tier="transport",reason="ping-timeout"} 0');
    expect(lines).toContain('wirebeat_ends_total{reason="replaced"} 0');
    expect(lines).toContain('wirebeat_floods_total 0');
  });

  it('takes a second server under another prefix, and not under the same', () => {
    const registry = new Registry();
    exportToPrometheus(new FakeHeartbeat(), { registry });
    exportToPrometheus(new FakeHeartbeat(), { registry, prefix: 'admin_' });
    expect(() => exportToPrometheus(new FakeHeartbeat(), { registry })).toThrow('already been');
  });

  it('leaves no trace when it ends, and takes a prefix', async () => {
    const [registry, heartbeat] = [new Registry(), new FakeHeartbeat()];
    const end = exportToPrometheus(heartbeat, { registry, prefix: 'chat_' });
    expect(await registry.metrics()).toContain('chat_connections');
    end();
    expect([registry.getMetricsAsArray(), heartbeat.listeners]).toEqual([[], []]);
  });
});

describe('for OpenTelemetry', () => {
  afterEach(() => api.disable());

  it('has every figure, durations in seconds', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1_000_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const heartbeat = new FakeHeartbeat();
    const end = exportToOpenTelemetry(heartbeat, {
      meter: provider.getMeter('test'),
      quality: true,
    });
    heartbeat.live();
    heartbeat.report('stall', { lateBy: 900 });
    await reader.forceFlush();
    const found = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? [];
    const points = (name: string) =>
      found
        .find(({ descriptor }) => descriptor.name === `wirebeat.${name}`)
        ?.dataPoints.map(({ attributes, value }) => [attributes, value]);
    expect(points('pings')).toEqual([
      [{ tier: 'transport' }, 1],
      [{ tier: 'application' }, 1],
    ]);
    expect(points('reaped')).toEqual([[{}, 3]]);
    expect(points('isolated')).toEqual([[{}, 1]]);
    expect(points('present_users')).toEqual([[{}, 7]]);
    expect(points('connections')).toContainEqual([{ status: 'suspect' }, 1]);
    expect(points('latency')).toMatchObject([[{ tier: 'transport' }, { sum: 0.02, count: 1 }]]);
    const names = [COUNTERS, HISTOGRAMS, GAUGES].flatMap(Object.keys);
    expect(found.map(({ descriptor }) => descriptor.name.slice('wirebeat.'.length)).sort()).toEqual(
      names.sort(),
    );
    end();
    expect(heartbeat.listeners).toEqual([]);
    await provider.shutdown();
  });

  it('takes the meter of the global provider by itself', () => {
    const asked: string[] = [];
    const provider = new MeterProvider();
    api.setGlobalMeterProvider({
      getMeter: (name) => {
        asked.push(name);
        return provider.getMeter(name);
      },
    });
    exportToOpenTelemetry(new FakeHeartbeat())();
    expect(asked).toEqual(['wirebeat']);
  });
});

describe('the metrics of a server', () => {
  it('are those of the docs, and all of them', async () => {
    const registry = new Registry();
    exportToPrometheus(new FakeHeartbeat(), { registry });
    const exported = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    const [ofServers = ''] = readFileSync(PAGE, 'utf8').split('\n## OpenTelemetry\n');
    const listed = [...ofServers.matchAll(/^\| (`wirebeat_.*?) +\|/gm)].flatMap(
      ([, names = '']) => {
        return names.replaceAll('`', '').split(', ');
      },
    );
    expect(exported.length).toBeGreaterThan(15);
    expect(listed.sort()).toEqual(exported.sort());
  });
});
