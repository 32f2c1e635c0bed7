import {
  type DialectChoice,
  encodeBeat,
  type Heartbeat,
  type Instant,
  type Row,
} from '@wirebeat/core';
import type { SessionHolder } from '../fleet/session-claim.ts';
import { Sessions, type UserOf } from '../fleet/sessions.ts';
import type { ResolvedServerOptions } from '../options.ts';
import type { RowTimer } from '../timing/row-timer.ts';
import { TimingPolicy } from '../timing/timing-policy.ts';
import type { AnswersContext } from './answers.ts';
import type { ApplicationTierContext } from './application-tier.ts';
import type { ConnectionEvents } from './events.ts';
import type { Hooks } from './hooks.ts';
import { type Authenticated, LastSeen } from './last-seen.ts';
import type { LongMessage } from './long-message.ts';
import { drawPayload } from './ping-payload.ts';
import type { RateLimitOptions } from './rate-limit.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';
import type { SocketTap } from './socket-tap.ts';

/** What the connections of one server share. */
export interface ConnectionPort extends ApplicationTierContext, AnswersContext {
  readonly tap: SocketTap;
  readonly whenDead: 'terminate' | 'report';
  /** Undefined if sessions are off. */
  readonly sessions: Sessions | undefined;
  readonly pingLimit: RateLimitOptions;
  /** Undefined if every client counts as authenticated. */
  readonly lastSeen: LastSeen | undefined;
  /** Undefined: all clients have wirebeat's own heartbeat. */
  readonly dialect: DialectChoice | undefined;
  emit<Name extends keyof ConnectionEvents>(
    of: Row,
    name: Name,
    event: ConnectionEvents[Name],
  ): void;
}

/** Returns what the connections of a server with these options share. */
export function connectionPortOf(
  options: ResolvedServerOptions<never>,
  hooks: Hooks,
  { tap, emit, hasListener }: Pick<ConnectionPort, 'tap' | 'emit' | 'hasListener'>,
): ConnectionPort {
  const { timing, pingPlanner, userOf, maxBufferedBytes, authenticated } = options;
  const { scheduler, wheel } = pingPlanner;
  const { answer, pingLimit, whenDead, whenUnresponsive, maxUnresponsive, dialect } = options;
  return {
    ...{ answer, pingLimit, whenDead, whenUnresponsive, maxUnresponsive, dialect },
    ...{ scheduler, wheel, tap, emit, hasListener },
    policy: new TimingPolicy(options),
    pongPort: {
      scheduler,
      maxBufferedBytes,
      freeBytes: 0,
      isMidMessage: (socket) => tap.isMidMessage(socket),
      bufferedBytes: ({ bufferedAmount }) => bufferedAmount,
      send: (socket, pong, sent) => tap.send(socket, encodeBeat(pong), sent),
    },
    bridged: 0,
    payload: drawPayload(timing.random),
    sessions: userOf === false ? undefined : new Sessions(hooks, userOf as UserOf),
    lastSeen:
      authenticated && new LastSeen(hooks, authenticated as (socket: ServerSocket) => unknown),
  };
}

/** What a row keeps of an application tier. */
export interface PageState {
  readonly machine: Heartbeat;
  /** Whether the client was sent the advertised timing. */
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
  /** Counts the bytes received: a `LongMessage` while a Ping is unanswered. */
  incoming(row: Row): ByteCounter | LongMessage | undefined;
  /** Notes that the application received something from the client. */
  see(row: Row, at: Instant): void;
  /** Returns whether the client may send a ping now, and counts it if so. */
  admits(row: Row, now: Instant): boolean;
  /** The connection as the application sees it. */
  handle(row: Row): SessionHolder & Authenticated;
  /** The same, if the application has asked for it. */
  knownHandle(row: Row): SessionHolder | undefined;
}
