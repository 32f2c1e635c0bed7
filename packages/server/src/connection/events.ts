import type { HeartbeatEvents, Millis } from '@wirebeat/core';
import type { ConnectionEnd } from './connection-end.ts';
import type { ServerSocket } from './server-socket.ts';

/**
 * The part of the client that answers. `transport` is the WebSocket layer, which answers protocol Pings
 * with Pongs (RFC 6455 §5.5.2). `application` is the page itself. The WebSocket layer of a browser
 * keeps answering while the page is frozen.
 */
export type Tier = 'transport' | 'application';

/** The events of a `ConnectionHeartbeat`. Pings and pongs name their tier. */
export interface ConnectionEvents extends Omit<HeartbeatEvents, 'ping' | 'pong'> {
  readonly ping: HeartbeatEvents['ping'] & { readonly tier: Tier };
  readonly pong: HeartbeatEvents['pong'] & { readonly tier: Tier };
  /**
   * Emitted when the application tier is silent while the transport tier answers: the page hangs or is
   * frozen. `silentFor` is in ms.
   */
  readonly unresponsive: { readonly silentFor: Millis };
  /** Emitted when an unresponsive application tier has sent something. */
  readonly responsive: Readonly<Record<string, never>>;
  /**
   * Emitted when the connection holds its session, with its fencing token. Emitted again with a greater
   * token after the server was isolated.
   */
  readonly session: { readonly epoch: number };
  /**
   * Emitted when a newer connection came with the same session. This connection is terminated, and
   * everything else that it receives is ignored. `by` is undefined if the newer connection is one of
   * another server.
   */
  readonly replaced: { readonly by: ServerSocket | undefined };
  /** Emitted exactly once when the connection ends: at `dead`, or when the socket closes. */
  readonly end: ConnectionEnd;
}
