import type { Millis } from '@wirebeat/core';
import type { GatewayConnection } from './connection.ts';
import type { Hop } from './tunnel/side.ts';
import type { GatewayCounters, LatencySummary, TrafficCount } from './tunnel/traffic-count.ts';

/** The state of a gateway as plain data, for a status page or metrics. */
export interface GatewayStatus {
  readonly state: 'running' | 'draining' | 'closed';
  readonly uptime: Millis;
  /** Number of open connections. */
  readonly open: number;
  /**
   * Largest number of connections, including handshakes in progress; `Infinity` if there is no limit.
   */
  readonly maxConnections: number;
  /**
   * Largest number of heap bytes in use at which another connection is accepted; `Infinity` if there is
   * no limit.
   */
  readonly maxHeapBytes: number;
  /** Number of handshakes in progress. */
  readonly handshaking: number;
  /** Number of connections whose page has sent an application ping. */
  readonly speaking: number;
  /** Number of those whose application tier is silent while the browser answers. */
  readonly unresponsive: number;
  /** Number of connections with an overdue answer from either end. */
  readonly suspect: number;
  readonly counters: GatewayCounters;
  /** Latencies in ms over all connections so far. A hop is absent before its first pong. */
  readonly latency: { readonly [Name in Hop | 'endToEnd']?: LatencySummary };
}

interface Parts
  extends Pick<
    GatewayStatus,
    'state' | 'uptime' | 'handshaking' | 'maxConnections' | 'maxHeapBytes'
  > {
  readonly connections: ReadonlySet<GatewayConnection>;
  readonly tally: TrafficCount;
}

export function statusOf({ connections, tally, ...rest }: Parts): GatewayStatus {
  const count = (fits: (connection: GatewayConnection) => boolean) =>
    [...connections].filter(fits).length;
  const latencies = Object.entries(tally.latency).map(([hop, { summary }]) => [hop, summary]);
  return {
    ...rest,
    open: connections.size,
    speaking: count(({ speaks }) => speaks),
    unresponsive: count(({ isResponsive }) => isResponsive === false),
    suspect: count(({ isSuspect }) => isSuspect),
    counters: tally.counters,
    latency: Object.fromEntries(latencies.filter(([, summary]) => summary !== undefined)),
  };
}
