import type { PongPort } from '@wirebeat/core';
import type { Sessions } from '../fleet/sessions.ts';
import type { PageContext } from './application-tier.ts';
import type { Authentication } from './authentication.ts';
import type { Liveness } from './connection-heartbeat.ts';
import type { LivenessEvents } from './events.ts';
import type { TokenBucketOptions } from './rate-limit.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';
import type { SocketTap } from './socket-tap.ts';

/** What the connections of one server share. */
export interface ConnectionContext extends PageContext {
  /** What begins the payload of our protocol Pings: see `drawPayload`. */
  readonly payload: string;
  readonly tap: SocketTap;
  readonly pongPort: PongPort<ServerSocket>;
  readonly whenDead: 'terminate' | 'report';
  /** Absent where they are off. */
  readonly sessions: Sessions | undefined;
  readonly pingLimit: TokenBucketOptions;
  readonly authentication: Authentication;
  tell<Name extends keyof LivenessEvents>(
    of: Liveness,
    socket: ServerSocket,
    name: Name,
    event: LivenessEvents[Name],
  ): void;
}

/** What is known of a connection beside its socket. */
export interface ConnectionOrigin {
  /** Counts the connections of one server. */
  readonly order: number;
  /** Of what it comes in by; absent for a socket that was open before. */
  readonly counter?: ByteCounter | undefined;
}
