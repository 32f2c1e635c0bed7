import type { GatewayStatus } from '@wirebeat/server/gateway';
import { Counter, Gauge, Registry } from 'prom-client';

type Counts = Readonly<Record<string, number>>;

/**
 * Renders the metrics of a gateway for Prometheus, with durations in seconds and the suffix `_total`
 * for counters.
 */
export async function metricsOf(status: GatewayStatus): Promise<{ type: string; text: string }> {
  const registry = new Registry();
  const { counters, latency } = status;
  addGauges(registry, status);
  for (const [name, help, value] of totalsOf(counters)) {
    new Counter({ name: `wirebeat_gateway_${name}_total`, help, registers: [registry] }).inc(value);
  }
  addByLabel(registry, 'refused', 'Handshakes that were refused or failed.', counters.refused);
  addByLabel(registry, 'ended', 'Connections that ended.', counters.ended);
  const quantiles = new Gauge({
    name: 'wirebeat_gateway_latency_seconds',
    help: 'Latency of a hop, over all connections since the start.',
    labelNames: ['hop', 'quantile'],
    registers: [registry],
  });
  for (const [hop, summary] of Object.entries(latency)) {
    const { p50, p95, p99 } = summary;
    for (const [quantile, value] of Object.entries({ 0.5: p50, 0.95: p95, 0.99: p99 })) {
      quantiles.set({ hop, quantile }, value / 1_000);
    }
  }
  return { type: registry.contentType, text: await registry.metrics() };
}

function addGauges(
  registry: Registry,
  { open, handshaking, speaking, ...rest }: GatewayStatus,
): void {
  const gauges: readonly [name: string, help: string, value: number][] = [
    ['connections', 'Open connections.', open],
    [
      'max_connections',
      'Largest number of connections, including handshakes.',
      rest.maxConnections,
    ],
    ['handshakes', 'Handshakes in progress.', handshaking],
    ['speaking_connections', 'Connections whose page sends application pings.', speaking],
    [
      'unresponsive_connections',
      'Connections whose page does not answer, while its browser does.',
      rest.unresponsive,
    ],
    ['suspect_connections', 'Connections with an end whose answer is overdue.', rest.suspect],
    ['uptime_seconds', 'Since the start.', rest.uptime / 1_000],
  ];
  for (const [name, help, value] of gauges) {
    new Gauge({ name: `wirebeat_gateway_${name}`, help, registers: [registry] }).set(value);
  }
}

function totalsOf(
  counters: GatewayStatus['counters'],
): readonly (readonly [name: string, help: string, value: number])[] {
  return [
    ['connections', 'Connections that were opened.', counters.accepted],
    ['page_bytes', 'Bytes from pages.', counters.bytesFromPages],
    ['upstream_bytes', 'Bytes from upstreams.', counters.bytesFromUpstreams],
    ['page_pings', 'Application pings from pages.', counters.pingsFromPages],
    ['page_pongs', 'Application pongs to pages.', counters.pongsToPages],
    [
      'upstream_beats',
      'Heartbeats of upstreams that were not passed on.',
      counters.beatsFromUpstreams,
    ],
    ['upstream_pings', 'Protocol Pings to upstreams.', counters.pingsToUpstreams],
    ['stalls', 'Times that a timer of the gateway was late.', counters.stalls],
  ];
}

function addByLabel(registry: Registry, name: string, help: string, counts: Counts): void {
  const counter = new Counter({
    name: `wirebeat_gateway_${name}_total`,
    help,
    labelNames: ['reason'],
    registers: [registry],
  });
  for (const [reason, value] of Object.entries(counts)) counter.inc({ reason }, value);
}
