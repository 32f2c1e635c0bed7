import type { PongPort } from '@wirebeat/core';
import type { Authentication } from './authentication.ts';
import type { Liveness } from './liveness.ts';
import type { LivenessEvents } from './liveness-events.ts';
import type { PageContext } from './page.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';
import type { Sessions } from './sessions.ts';
import type { SocketTap } from './socket-tap.ts';
import type { TokenBucketOptions } from './token-bucket.ts';

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
