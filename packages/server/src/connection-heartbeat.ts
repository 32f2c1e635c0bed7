import type { HeartbeatStatus, Instant, Millis, PingOptions } from '@wirebeat/core';
import type { Tier } from './connection/events.ts';
import type { Values } from './timing/advertisement.ts';

/**
 * The heartbeat of one connection. Anything received from the client proves that it is alive; the
 * server sends protocol Pings when nothing arrives. Application pings are answered at once. The server
 * also pings the application tier of clients that have sent an application ping.
 */
export interface ConnectionHeartbeat {
  readonly status: HeartbeatStatus;

  /** Last latency of the transport tier in ms, or `undefined` before its first pong. */
  readonly transportLatency: Millis | undefined;

  /** Last latency of the application tier in ms, or `undefined` before its first pong. */
  readonly applicationLatency: Millis | undefined;

  /**
   * `false` while the application tier is unresponsive; `undefined` if the client has sent no
   * application ping.
   */
  readonly isResponsive: boolean | undefined;

  /** When anything was last received, in whole ms of the scheduler's clock. */
  readonly lastReceived: Instant;

  /**
   * When the application last heard from the client, in ms of the scheduler's clock: its last message,
   * or its last ping or pong if the client is authenticated. Use it for an idle timeout of your own.
   */
  readonly lastSeen: Instant;

  /**
   * The fencing token of the client's session: greater than that of every connection that held the
   * session before, on any server. Pass it along with your writes, and let your storage reject a token
   * smaller than the last one. `undefined` if the connection does not hold a session now: its client has
   * sent none, an older connection has not ended yet, or the registry is out of reach.
   */
  readonly epoch: number | undefined;

  /** Longest possible time in ms from the last byte received to `dead`, while this process runs. */
  readonly detectionBound: Millis;

  /**
   * Pings one tier now and resolves to its latency in ms. You can ping the `application` tier only of a
   * client that has sent an application ping itself: for other clients, the ping would be an ordinary
   * message.
   *
   * Rejects with {@link PingTimeoutError}, {@link ConnectionClosedError}, the reason of the signal, or
   * {@link InvalidOptionError} if `timeout` is out of range.
   */
  ping(options?: PingOptions & { readonly tier?: Tier }): Promise<Millis>;

  /**
   * Sends protocol values to the client in an application ping. Does nothing if the client has sent no
   * application ping.
   */
  announce(values: Values): void;

  /** Drops the connection at once, without a closing handshake. */
  terminate(): void;

  /** Detaches the heartbeat from the socket and restores it. The socket stays open. */
  detach(): void;
}
