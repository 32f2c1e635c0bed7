import type { Millis } from '@wirebeat/core';
import type { GatewayConnection } from './connection.ts';
import type { Hop } from './tunnel/side.ts';
import type { GatewayCounters, LatencySummary, TrafficCount } from './tunnel/traffic-count.ts';

/** How a gateway stands: plain data, for a status page or metrics. */
export interface GatewayStatus {
  readonly state: 'running' | 'draining' | 'closed';
  readonly uptime: Millis;
  /** Connections that are open now. */
  readonly open: number;
  /** How many there may be, with handshakes under way; `Infinity` if that is off. */
  readonly maxConnections: number;
  /** How much of the heap may be in use when one more is let in; `Infinity` if that is off. */
  readonly maxHeapBytes: number;
  /** Handshakes that are under way now. */
  readonly handshaking: number;
  /** Connections whose page speaks. */
  readonly speaking: number;
  /** Those of them whose page is silent while its browser answers. */
  readonly unresponsive: number;
  /** Connections of which one end owes an answer. */
  readonly suspect: number;
  readonly counters: GatewayCounters;
  /** Of all connections so far; a hop is absent before its first answer. */
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
