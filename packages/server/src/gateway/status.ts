import type { Millis } from '@wirebeat/core';
import type { GatewayCounters, GatewayLatencies } from './tunnel/traffic-count.ts';

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
  readonly latency: GatewayLatencies;
}
