import type { HeartbeatStatus, Instant, Millis, PingOptions } from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import type { Tier } from './events.ts';

/**
 * The heartbeat of one connection: one verdict from two tiers. Anything received is life; protocol
 * Pings ask when nothing is; application pings are answered at once and, from a client that has
 * sent one, measured.
 *
 * There is one for each of very many connections, so it is made without closures: see `Connection`.
 */
export interface ConnectionHeartbeat {
  readonly status: HeartbeatStatus;

  /** The last latency of the peer's WebSocket layer; undefined until the first. */
  readonly transportLatency: Millis | undefined;

  /** The last latency of the page itself; undefined until the first. */
  readonly applicationLatency: Millis | undefined;

  /** Whether its page answers, as far as is known; undefined of a client that has not spoken. */
  readonly isResponsive: boolean | undefined;

  /** When anything was last received, by the scheduler's clock, in whole ms. */
  readonly lastReceived: Instant;

  /**
   * When the application last heard of the peer, by the scheduler's clock: by a message, or by a
   * beat if it is authenticated. What an idle timeout of the application goes by.
   */
  readonly lastSeen: Instant;

  /** The worst time from the last byte received to `dead`, while this process runs. */
  readonly detectionBound: Millis;

  /**
   * Pings one tier now; resolves to its latency. Rejects with {@link PingTimeoutError},
   * {@link ConnectionClosedError}, the signal's reason, or {@link InvalidOptionError} if `timeout`
   * is out of its range. The `application` tier can be asked only of a client that has sent an
   * application ping itself: to others such a ping would be an ordinary message.
   */
  ping(options?: PingOptions & { readonly tier?: Tier }): Promise<Millis>;

  /** Tells the page values of the protocol, by a ping; does nothing if it has not spoken. */
  announce(values: Values): void;

  /** Drops the connection at once. */
  terminate(): void;

  /** Ends the watch and leaves no trace on the socket, which stays open. */
  detach(): void;
}
