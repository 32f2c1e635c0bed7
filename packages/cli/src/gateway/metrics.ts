import type { Blame, Gateway, GatewayStatus } from '@wirebeat/server/gateway';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ReadinessProbe } from './readiness-probe.ts';

/** Upper bounds of the buckets, in seconds: those of the exporter of `@wirebeat/server`. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** The tiers by hop, with the names of the exporter of `@wirebeat/server` for those that it has. */
const TIERS = { page: 'application', browser: 'transport', upstream: 'upstream' } as const;
const END_TO_END = 'end_to_end';
const BLAMES: readonly Blame[] = [
  'page',
  'page-network',
  'gateway',
  'upstream-network',
  'upstream',
];

/** The counters of `GatewayStatus`: their names without prefix and suffix, and what they count. */
const COUNTERS: readonly [
  name: string,
  help: string,
  value: (counters: GatewayStatus['counters']) => number,
][] = [
  ['connections', 'Connections that were opened.', ({ accepted }) => accepted],
  ['page_bytes', 'Bytes received from pages.', ({ bytesFromPages }) => bytesFromPages],
  ['upstream_bytes', 'Bytes received from upstreams.', (counters) => counters.bytesFromUpstreams],
  ['page_pings', 'Application pings from pages.', ({ pingsFromPages }) => pingsFromPages],
  ['page_pongs', 'Application pongs to pages.', ({ pongsToPages }) => pongsToPages],
  ['upstream_pings', 'Protocol Pings to upstreams.', ({ pingsToUpstreams }) => pingsToUpstreams],
  [
    'upstream_beats',
    'Texts from upstreams that looked like heartbeats and were dropped.',
    ({ beatsFromUpstreams }) => beatsFromUpstreams,
  ],
];

/**
 * The metrics of a gateway for Prometheus. Metrics that a server has too have the names of its exporter,
 * `wirebeat_…`. All others begin with `wirebeat_gateway_`. Durations are in seconds.
 */
export class GatewayMetrics {
  readonly #registry: Registry = new Registry();

  constructor(gateway: Gateway, probe: () => Pick<ReadinessProbe, 'state'> | undefined) {
    this.#watch(gateway);
    this.#addCounters(gateway);
    this.#addGauges(gateway);
    this.#addReadiness(probe);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #watch(gateway: Gateway): void {
    const registers = [this.#registry];
    const latency = new Histogram({
      name: 'wirebeat_latency_seconds',
      help: 'Latency of a tier, without those that a stall has distorted.',
      labelNames: ['tier'],
      buckets: BUCKETS,
      registers,
    });
    const timeouts = new Counter({
      name: 'wirebeat_timeouts_total',
      help: 'Peers and pages that did not answer in time.',
      labelNames: ['tier', 'reason'],
      registers,
    });
    const ends = new Counter({
      name: 'wirebeat_ends_total',
      help: 'Connections that ended, and who is to blame.',
      labelNames: ['reason', 'blame'],
      registers,
    });
    for (const tier of [...Object.values(TIERS), END_TO_END]) latency.zero({ tier });
    beginAtZero(ends, Object.keys(gateway.status().counters.ended));
    for (const tier of ['transport', 'upstream']) timeouts.inc({ tier, reason: 'ping-timeout' }, 0);
    timeouts.inc({ tier: 'application', reason: 'unresponsive' }, 0);
    gateway.on('pong', ({ hop, latency: ms, sampled, connection }) => {
      if (!sampled) return;
      latency.observe({ tier: TIERS[hop] }, ms / 1000);
      const { endToEndLatency } = connection;
      if (hop !== 'browser' && endToEndLatency !== undefined) {
        latency.observe({ tier: END_TO_END }, endToEndLatency / 1000);
      }
    });
    gateway.on('dead', ({ side, reason }) =>
      timeouts.inc({ tier: side === 'page' ? 'transport' : 'upstream', reason }),
    );
    gateway.on('unresponsive', () => timeouts.inc({ tier: 'application', reason: 'unresponsive' }));
    gateway.on('end', ({ reason, blame }) => ends.inc({ reason, blame }));
  }

  #addCounters(gateway: Gateway): void {
    const registers = [this.#registry];
    for (const [name, help, value] of COUNTERS) {
      new Counter({
        name: `wirebeat_gateway_${name}_total`,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(value(gateway.status().counters));
        },
      });
    }
    new Counter({
      name: 'wirebeat_stalls_total',
      help: 'Times that this process did not run.',
      registers,
      collect() {
        this.reset();
        this.inc(gateway.status().counters.stalls);
      },
    });
    new Counter({
      name: 'wirebeat_gateway_refused_total',
      help: 'Handshakes that were refused.',
      labelNames: ['reason'],
      registers,
      collect() {
        this.reset();
        const { refused } = gateway.status().counters;
        for (const [reason, count] of Object.entries(refused)) this.inc({ reason }, count);
      },
    });
  }

  #addGauges(gateway: Gateway): void {
    const registers = [this.#registry];
    new Gauge({
      name: 'wirebeat_connections',
      help: 'Open connections.',
      labelNames: ['status'],
      registers,
      collect() {
        const { open, suspect, unresponsive } = gateway.status();
        this.set({ status: 'suspect' }, suspect);
        this.set({ status: 'unresponsive' }, unresponsive);
        this.set({ status: 'alive' }, Math.max(0, open - suspect - unresponsive));
      },
    });
    const gauges: readonly [string, string, (status: GatewayStatus) => number][] = [
      [
        'max_connections',
        'Largest number of connections, including handshakes in progress.',
        ({ maxConnections }) => maxConnections,
      ],
      ['handshakes', 'Handshakes in progress.', ({ handshaking }) => handshaking],
      [
        'speaking_connections',
        'Connections whose page sends application pings.',
        ({ speaking }) => speaking,
      ],
      ['uptime_seconds', 'Time since the start.', ({ uptime }) => uptime / 1000],
    ];
    for (const [name, help, value] of gauges) {
      new Gauge({
        name: `wirebeat_gateway_${name}`,
        help,
        registers,
        collect() {
          this.set(value(gateway.status()));
        },
      });
    }
  }

  #addReadiness(probe: () => Pick<ReadinessProbe, 'state'> | undefined): void {
    new Gauge({
      name: 'wirebeat_gateway_upstream_ready',
      help: 'Whether the last probe of the upstream was answered: 1 or 0; absent without a probe.',
      registers: [this.#registry],
      collect() {
        const { isReady, at } = probe()?.state ?? {};
        if (at === undefined)
          this.remove(); // 0 would say that the upstream does not answer
        else this.set(isReady === true ? 1 : 0);
      },
    });
  }
}

/** Exports every kind of end from the start: Prometheus sees no increase in a counter that begins at more than 0. */
function beginAtZero(ends: Counter<'reason' | 'blame'>, reasons: readonly string[]): void {
  for (const reason of reasons) {
    for (const blame of BLAMES) ends.inc({ reason, blame }, 0);
  }
}
