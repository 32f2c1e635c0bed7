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
  /** What begins the payload of our protocol Pings: see `drawPayload`. */
  readonly payload: string;
  readonly tap: SocketTap;
  readonly pongPort: PongPort<ServerSocket>;
  readonly whenDead: 'terminate' | 'report';
  /** Absent where they are off. */
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

/** What is known of a connection beside its socket. */
export interface ConnectionOrigin {
  /** Counts the connections of one server. */
  readonly order: number;
  /** Of what it comes in by; absent for a socket that was open before. */
  readonly counter?: ByteCounter | undefined;
}
