import type { DialectChoice, Heartbeat, Instant, PongPort, Row } from '@wirebeat/core';
import type { SessionHolder } from '../fleet/session-claim.ts';
import type { Sessions } from '../fleet/sessions.ts';
import type { RowTimer } from '../timing/row-timer.ts';
import type { ApplicationTierContext } from './application-tier.ts';
import type { Authenticated, Authentication } from './authentication.ts';
import type { ConnectionEvents } from './events.ts';
import type { Progress } from './progress.ts';
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
  /** Undefined if every client counts as authenticated. */
  readonly authentication: Authentication | undefined;
  /** Undefined: all clients have wirebeat's own heartbeat. */
  readonly dialect: DialectChoice | undefined;
  tell<Name extends keyof ConnectionEvents>(
    of: Row,
    name: Name,
    event: ConnectionEvents[Name],
  ): void;
}

/** What a row keeps of an application tier. */
export interface PageState {
  readonly machine: Heartbeat;
  /** Whether the client was sent what the server asks for. */
  readonly isWelcomed: boolean;
}

/** What a `Connection` needs of its row. */
export interface RowPort {
  socket(row: Row): ServerSocket;
  /** The machine of the transport tier. */
  machine(row: Row): Heartbeat;
  /** The machine of the application tier; `undefined` if the client sends no pings. */
  page(row: Row): PageState | undefined;
  /** The timers of the transport tier. */
  timer(row: Row): RowTimer;
  /** The timers of the application tier. */
  pageTimer(row: Row): RowTimer;
  /** The client has sent its first ping. Returns the machine of its page. */
  addPage(row: Row): Heartbeat;
  /** What counts the bytes of the connection: its progress, while its Ping is unanswered. */
  incoming(row: Row): ByteCounter | Progress | undefined;
  /** The application has heard from the client. */
  see(row: Row, at: Instant): void;
  /** Returns whether the client may send a ping now, and counts it if so. */
  admits(row: Row, now: Instant): boolean;
  /** What the application holds of the connection. */
  handle(row: Row): SessionHolder & Authenticated;
  /** The same, if it was ever asked for. */
  knownHandle(row: Row): SessionHolder | undefined;
}
