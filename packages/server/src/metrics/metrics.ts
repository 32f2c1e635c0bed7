import type { Millis } from '@wirebeat/core';
import type { HookName } from '../connection/hooks.ts';
import type { RegistryCall } from '../fleet/registry-call.ts';
import type { QualityRecords } from './quality-records.ts';

/** The part of a `ServerHeartbeat` that metrics need, for any socket class. */
export interface HeartbeatSource {
  on(name: never, listener: (event: never) => void): unknown;
  off(name: never, listener: (event: never) => void): unknown;
  readonly connections: ReadonlyMap<
    unknown,
    { readonly status: string; readonly isResponsive: boolean | undefined }
  >;
  /** Absent for a gateway. */
  readonly isIsolated?: boolean;
  /** Absent for a gateway, and undefined while nobody counts users. */
  readonly presentUsers?: number | undefined;
}

/** Labels of one metric. */
export type Labels = Readonly<Record<string, string>>;

/** Receives the metrics: one implementation per metrics system. */
export interface MetricsSink {
  /** Increments a counter. */
  count(name: CounterName, labels: Labels, by?: number): void;
  /** Records a duration in ms. */
  record(name: HistogramName, duration: Millis, labels: Labels): void;
}

/** Names of the counters. */
export type CounterName =
  | 'pings'
  | 'pongs'
  | 'timeouts'
  | 'floods'
  | 'stalls'
  | 'ends'
  | 'hook_failures'
  | 'registry_calls'
  | 'leases_lost'
  | 'isolations'
  | 'reaped';

interface CounterDescription {
  readonly help: string;
  readonly labels: readonly string[];
  readonly known: readonly Labels[];
}

const TIERS: readonly Labels[] = [{ tier: 'transport' }, { tier: 'application' }];
const HOOKS: readonly HookName[] = ['authenticated', 'user', 'random', 'listener', 'registry'];
const OPERATIONS = ['renew', 'claim', 'release'];
const ENDS = ['ping-timeout', 'one-way', 'max-silence', 'closed', 'detached', 'replaced'];

/**
 * The counters and their labels. Each known label set starts at 0, because a series that starts with
 * its first event hides that event.
 */
export const COUNTERS: Readonly<Record<CounterName, CounterDescription>> = {
  pings: { help: 'Pings that were sent.', labels: ['tier'], known: TIERS },
  pongs: { help: 'Pongs that were received.', labels: ['tier'], known: TIERS },
  timeouts: {
    help: 'Peers and pages that did not answer in time.',
    labels: ['tier', 'reason'],
    known: [
      { tier: 'transport', reason: 'ping-timeout' },
      { tier: 'transport', reason: 'one-way' },
      { tier: 'transport', reason: 'max-silence' },
      { tier: 'application', reason: 'unresponsive' },
    ],
  },
  floods: { help: 'Clients that sent more pings than allowed.', labels: [], known: [{}] },
  stalls: { help: 'Times that a timer of this process was late.', labels: [], known: [{}] },
  ends: {
    help: 'Connections that ended.',
    labels: ['reason'],
    known: [...ENDS, 'flood', 'unresponsive'].map((reason) => ({ reason })),
  },
  hook_failures: {
    help: 'Functions of the application that threw or rejected.',
    labels: ['hook'],
    known: HOOKS.map((hook) => ({ hook })),
  },
  registry_calls: {
    help: 'Calls of the registry.',
    labels: ['operation', 'outcome'],
    known: OPERATIONS.flatMap((operation) => {
      return ['ok', 'failed'].map((outcome) => ({ operation, outcome }));
    }),
  },
  leases_lost: {
    help: 'Times that the registry had ended the lease of this server.',
    labels: [],
    known: [{}],
  },
  isolations: {
    help: 'Times that this server could not renew its lease.',
    labels: [],
    known: [{}],
  },
  reaped: {
    help: 'Connections of dead servers that this server removed from the registry.',
    labels: [],
    known: [{}],
  },
};

/** The histograms, with their bucket bounds in ms. */
export const HISTOGRAMS = {
  latency: {
    help: 'Latency of a tier, without pongs that were late because this process was.',
    labels: ['tier'],
    bounds: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  },
  silence: {
    help: 'How long a peer had been silent when it was declared dead.',
    labels: ['reason'],
    bounds: [5_000, 10_000, 20_000, 30_000, 45_000, 60_000, 90_000, 120_000, 300_000],
  },
  registry: {
    help: 'How long calls of the registry took.',
    labels: ['operation'],
    bounds: [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000],
  },
} as const;

/** A value by its labels. */
type Reading = readonly [labels: Labels, value: number];

/** A gauge is read whenever metrics are collected. */
interface GaugeDescription {
  readonly help: string;
  readonly labels: readonly string[];
  read(heartbeat: HeartbeatSource, quality?: QualityRecords): Iterable<Reading>;
}

/** The gauges. */
export const GAUGES: Readonly<
  Record<'connections' | 'connection_quality' | 'isolated' | 'present_users', GaugeDescription>
> = {
  connections: {
    help: 'Open connections.',
    labels: ['status'],
    read: (heartbeat) => {
      const counts = connectionsByStatus(heartbeat);
      return [...counts].map(([status, count]): Reading => [{ status }, count]);
    },
  },
  connection_quality: {
    help: 'Open connections by the quality of their link.',
    labels: ['quality'],
    read: ({ connections }, records) => {
      const counts = records?.count(connections) ?? [];
      return [...counts].map(([quality, count]): Reading => [{ quality }, count]);
    },
  },
  isolated: {
    help: '1 if this server cannot renew its lease, otherwise 0.',
    labels: [],
    read: ({ isIsolated }) => [[{}, isIsolated === true ? 1 : 0]],
  },
  present_users: {
    help: 'Users who are present on all servers.',
    labels: [],
    read: ({ presentUsers }) => (presentUsers === undefined ? [] : [[{}, presentUsers]]),
  },
};

export type HistogramName = keyof typeof HISTOGRAMS;

/** Returns the number of connections by status: `alive`, `suspect`, `unresponsive`. */
export function connectionsByStatus(heartbeat: HeartbeatSource): ReadonlyMap<string, number> {
  const counts = new Map([
    ['alive', 0],
    ['suspect', 0],
    ['unresponsive', 0],
  ]);
  for (const { status, isResponsive } of heartbeat.connections.values()) {
    const shown = status === 'alive' && isResponsive === false ? 'unresponsive' : status;
    counts.set(shown, (counts.get(shown) ?? 0) + 1);
  }
  return counts;
}

interface Tiered {
  readonly tier: string;
}

type Taker = (event: never) => void;

/** The listeners by event name. */
interface Takers {
  readonly [name: string]: Taker;
}

/**
 * Reports the events of a server's connections to `sink` from now on. Returns a function that stops it.
 * Keeps no reference to any connection.
 */
export function watchMetrics(
  heartbeat: HeartbeatSource,
  sink: MetricsSink,
  quality?: QualityRecords,
): () => void {
  const takers = [takersOf(sink), quality?.takers ?? {}].flatMap(Object.entries<Taker>);
  for (const [name, take] of takers) heartbeat.on(name as never, take);
  return () => {
    for (const [name, take] of takers) heartbeat.off(name as never, take);
  };
}

function takersOf(sink: MetricsSink): Takers {
  let stalledAt = Number.NEGATIVE_INFINITY;
  return {
    ping: ({ tier }: Tiered) => sink.count('pings', { tier }),
    pong({ tier, latency, sampled }: Tiered & { latency: Millis; sampled: boolean }) {
      sink.count('pongs', { tier });
      if (sampled) sink.record('latency', latency, { tier });
    },
    dead({ reason, silentFor }: { reason: string; silentFor: Millis }) {
      sink.count('timeouts', { tier: 'transport', reason });
      sink.record('silence', silentFor, { reason });
    },
    unresponsive: () => sink.count('timeouts', { tier: 'application', reason: 'unresponsive' }),
    // Very many connections report the same stall: a timer due before the last report belongs to it.
    stall({ lateBy }: { lateBy: Millis }) {
      const now = performance.now();
      if (now - lateBy > stalledAt) sink.count('stalls', {});
      stalledAt = now;
    },
    registry({ operation, outcome, duration }: RegistryCall) {
      const counted = outcome === 'failed' ? 'failed' : 'ok';
      sink.count('registry_calls', { operation, outcome: counted });
      if (outcome === 'lost') sink.count('leases_lost', {});
      sink.record('registry', duration, { operation });
    },
    isolated: () => sink.count('isolations', {}),
    reaped: ({ count }: { count: number }) => sink.count('reaped', {}, count),
    error: ({ hook }: { hook: string }) => sink.count('hook_failures', { hook }),
    end({ reason }: { reason: string }) {
      if (reason === 'flood') sink.count('floods', {});
      sink.count('ends', { reason });
    },
  };
}
