import type { PongPort } from '@wirebeat/core';
import type { Sessions } from '../fleet/sessions.ts';
import type { ApplicationTierContext } from './application-tier.ts';
import type { Authentication } from './authentication.ts';
import type { ConnectionHeartbeat } from './connection-heartbeat.ts';
import type { ConnectionEvents } from './events.ts';
import type { RateLimitOptions } from './rate-limit.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';
import type { SocketTap } from './socket-tap.ts';

/** What the connections of one server share. */
export interface ConnectionPort extends ApplicationTierContext {
  /** Prefix of the payload of our protocol Pings: see `drawPayload`. */
  readonly payload: string;
  readonly tap: SocketTap;
  readonly pongPort: PongPort<ServerSocket>;
  readonly whenDead: 'terminate' | 'report';
  /** Undefined if sessions are off. */
  readonly sessions: Sessions | undefined;
  readonly pingLimit: RateLimitOptions;
  readonly authentication: Authentication;
  tell<Name extends keyof ConnectionEvents>(
    of: ConnectionHeartbeat,
    socket: ServerSocket,
    name: Name,
    event: ConnectionEvents[Name],
  ): void;
}

/** What is known of a connection apart from its socket. */
export interface ConnectionOrigin {
  /** Number of the connection on its server; a newer connection has a greater number. */
  readonly order: number;
  /**
   * Counts the bytes received; undefined for a socket that was open before the heartbeat was attached.
   */
  readonly counter?: ByteCounter | undefined;
}
