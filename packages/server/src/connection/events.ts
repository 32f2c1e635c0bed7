import type { HeartbeatEvents, Millis, TimeoutReason } from '@wirebeat/core';
import type { ServerSocket } from './server-socket.ts';

/**
 * Who answers: `transport` is the peer's WebSocket layer, by protocol Ping and Pong (RFC 6455
 * §5.5.2); `application` is the page itself. A browser's layer answers also while its page is frozen.
 */
export type Tier = 'transport' | 'application';

/** What a `ConnectionHeartbeat` tells. Pings and pongs name their tier. */
export interface ConnectionEvents extends Omit<HeartbeatEvents, 'ping' | 'pong'> {
  readonly ping: HeartbeatEvents['ping'] & { readonly tier: Tier };
  readonly pong: HeartbeatEvents['pong'] & { readonly tier: Tier };
  /** Only the page is silent: its WebSocket layer answers. The page hangs, or is frozen. */
  readonly unresponsive: { readonly silentFor: Millis };
  /** A page that was unresponsive has spoken. */
  readonly responsive: Readonly<Record<string, never>>;
  /** A newer connection came with the same session: this one is terminated, and heard no more. */
  readonly replaced: { readonly by: ServerSocket };
  /** The connection has ended. Told exactly once, at `dead` or at its close. */
  readonly end: ConnectionEnd;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /**
   * `detached`: it goes on, but is no longer watched. `replaced`: a newer connection came with the
   * same session. `flood`: it sent more pings than it may. `unresponsive`: its page was silent for
   * longer than it may be.
   */
  readonly reason: TimeoutReason | 'closed' | 'detached' | 'replaced' | 'flood' | 'unresponsive';
  /** RFC 6455 §7.1.5, if it closed. */
  readonly code: number | undefined;
  /** RFC 6455 §7.1.6. */
  readonly text: string;
}

export type ConnectionListener = <Name extends keyof ConnectionEvents>(
  name: Name,
  event: ConnectionEvents[Name],
) => void;
