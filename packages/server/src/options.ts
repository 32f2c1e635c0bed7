import type { IncomingMessage } from 'node:http';
import {
  type DialectChoice,
  HEARTBEAT_SCHEMA,
  type HeartbeatOptions,
  InvalidOptionError,
  initialTiming,
  type Millis,
  type Resolved,
  resolveOptions,
  type Scheduler,
  SystemScheduler,
  type Timing,
} from '@wirebeat/core';
import type { RateLimitOptions } from './connection/rate-limit.ts';
import type { Registry } from './fleet/registry.ts';
import {
  type Advertisement,
  advertisementFor,
  checkAdvertisement,
  serverInterval,
} from './timing/advertisement.ts';
import { PingPlanner, sharedPingPlanner } from './timing/ping-planner.ts';

/** Binds sessions to users. */
export interface SessionOptions<Socket> {
  /**
   * Returns the user of a connection as any value that is the same for the same user, such as an id, or
   * `undefined` or `null` while the user is unknown. The server calls it for each client ping that
   * carries a session, until it returns a user. It may return a promise: the session is bound when the
   * promise resolves, and stays unbound if it rejects. `request` is undefined for a socket that was
   * open before the heartbeat was attached.
   */
  readonly user: (socket: Socket, request: IncomingMessage | undefined) => unknown;
}

/** Options of `attachHeartbeat`. */
export interface ServerOptions<Socket = never> extends HeartbeatOptions {
  /**
   * Time between protocol Pings to an idle client, in ms. The default is 1.2 times the client's
   * interval, so that normally the client pings first. `false` turns pings off.
   * @default 30_000
   */
  readonly pingInterval?: Millis | false;
  /** Time in ms that a client has to answer before it is dead. `false`: no limit. @default 20_000 */
  readonly pingTimeout?: Millis | false;
  /**
   * Part of `pingInterval` that is randomly subtracted from each interval, in [0, 0.999]. @default 0.1
   */
  readonly jitter?: number;
  /**
   * Returns the random numbers for `jitter`, in [0, 1). The server draws up to four numbers for each
   * interval and uses the one that lands where the fewest pings are due.
   * @default Math.random
   */
  readonly random?: () => number;
  /**
   * Clock and timers. @default one timing wheel for this process, which does not keep the process
   * running
   */
  readonly scheduler?: Scheduler;
  /**
   * The timing that the server sends to each client in its answer to the client's first ping. `false`:
   * never sent.
   * @default the `pingInterval` that you passed, divided by 1.2; nothing if you passed none
   */
  readonly advertise?: Advertisement | false;
  /**
   * Terminates a client's older connection when the same client opens a newer one. The client proves
   * that both are its own with a secret of 128 bits. With `{ user }`, both must also belong to the same
   * user. `false`: connections never replace each other.
   * @default the secret alone decides
   */
  readonly session?: SessionOptions<Socket> | false;
  /**
   * Shares sessions with other servers: a client's older connection ends also if the newer one is to
   * another server. Pass a `RedisRegistry` of `@wirebeat/server/redis`, or one `MemoryRegistry` to
   * several servers of one process. Needs sessions.
   * @default sessions and presence of this server alone
   */
  readonly registry?: Registry;
  /**
   * What the server does with its connections when it is isolated: it cannot reach the registry, and
   * other servers may have taken over their sessions. `keep`: they stay open, but hold no session until
   * the registry can be reached. `close`: connections that have sent a session are closed with 1012.
   * @default 'keep'
   */
  readonly whenIsolated?: 'keep' | 'close';
  /**
   * How many pings, of both kinds, a client may send. The server closes a client that sends more with
   * 1008. `false`: no limit. Of clients that speak a `dialect`, only protocol Pings count.
   */
  readonly pingLimit?: PingLimit | false;
  /**
   * When the server answers an application ping. `local`: at once. `bridge`: it sends a protocol Ping to
   * the same client, and answers once the Pong has come. Then the pong proves that the way back works too.
   * @default 'local'
   */
  readonly answer?: 'local' | 'bridge';
  /**
   * Largest `bufferedAmount` in bytes at which the server still sends a pong. `false`: no limit.
   * @default 1_048_576
   */
  readonly maxBufferedBytes?: number | false;
  /**
   * What the server does with a dead peer. `terminate` drops the connection. `report` only emits `dead`
   * and leaves the open socket to the application.
   * @default 'terminate'
   */
  readonly whenDead?: 'terminate' | 'report';
  /**
   * What the server does when the application tier is silent while the transport tier answers. `report`
   * emits `unresponsive`; `terminate` also closes the connection. `false`: the server does not ping the
   * application tier.
   * @default 'report'
   */
  readonly whenUnresponsive?: 'report' | 'terminate' | false;
  /**
   * How long, in ms, a page may be unresponsive or report that it is frozen before the server closes
   * its connection. Browsers keep answering protocol Pings for pages that have lost their socket.
   * `false`: no limit. It has no effect on clients that speak a `dialect`.
   * @default false
   */
  readonly maxUnresponsive?: Millis | false;
  /**
   * Returns whether a client has passed the application's own authentication. The server answers the
   * pings of other clients too, but does not count them as `lastSeen`. May return a promise. A function
   * that throws or rejects counts as `false`.
   * @default every client is authenticated
   */
  readonly authenticated?: (socket: Socket) => boolean | PromiseLike<boolean>;
  /**
   * The heartbeat of another protocol, from `@wirebeat/core/dialects`, for the clients of that protocol.
   * Their application tier is watched in it. It is used unless the handshake settles on a subprotocol
   * that it does not belong to.
   * @default wirebeat's own heartbeat
   */
  readonly dialect?: DialectChoice;
}

/** How many pings a client may send. */
export interface PingLimit {
  /** Number of pings that a client may send at once. @default 50 */
  readonly burst?: number;
  /** Time in ms per ping in the long run. @default 200 */
  readonly interval?: Millis;
}

/** {@link ServerOptions} with every default filled in. */
export interface ResolvedServerOptions<Socket>
  extends Pick<
    Resolved<ServerOptions<Socket>, typeof SERVER_SCHEMA>,
    | 'registry'
    | 'whenIsolated'
    | 'answer'
    | 'maxBufferedBytes'
    | 'whenDead'
    | 'whenUnresponsive'
    | 'maxUnresponsive'
    | 'authenticated'
    | 'dialect'
  > {
  readonly timing: Timing;
  readonly pingPlanner: PingPlanner;
  /** For short waits: the timers of connections may be 100 ms late. */
  readonly preciseScheduler: Scheduler;
  /** `false`: the server never advertises any timing. */
  readonly advertised: Advertisement | false | undefined;
  /** `undefined`: the secret alone decides. `false`: sessions are off. */
  readonly userOf: SessionOptions<Socket>['user'] | undefined | false;
  readonly pingLimit: RateLimitOptions;
}

/** The options of the server that the core has not, or has with another default. Durations are in ms. */
export const SERVER_SCHEMA = {
  // 1.2 times the client's 25 s: one ping, of the side whose interval ends first, serves both.
  pingInterval: { type: 'duration', default: 30_000, off: true },
  jitter: { type: 'number', default: 0.1, min: 0, max: 0.999 }, // connections opened together drift apart
  scheduler: { type: 'object', method: 'now' },
  advertise: { type: 'object', off: true },
  session: { type: 'object', off: true },
  registry: { type: 'object', method: 'renew' },
  whenIsolated: { type: 'choice', of: ['keep', 'close'], default: 'keep' },
  pingLimit: { type: 'object', off: true },
  answer: { type: 'choice', of: ['local', 'bridge'], default: 'local' },
  maxBufferedBytes: { type: 'count', default: 1_048_576, off: true }, // behind more, a pong is late anyway
  whenDead: { type: 'choice', of: ['terminate', 'report'], default: 'terminate' },
  whenUnresponsive: { type: 'choice', of: ['report', 'terminate', false], default: 'report' },
  maxUnresponsive: { type: 'duration', default: false, off: true },
  authenticated: { type: 'function' },
  dialect: { type: 'object', method: 'connect' },
} as const;

/** The limits of {@link PingLimit}. */
export const PING_LIMIT_SCHEMA = {
  // Below the 60 at which ws 8.23 terminates without a close code, and far above what a client needs.
  burst: { type: 'count', default: 50, min: 1 },
  interval: { type: 'duration', default: 200 }, // far more often than a client pings by itself
} as const;

/** The option of {@link SessionOptions}. */
const SESSION_SCHEMA = { user: { type: 'function', required: true } } as const;

/**
 * Validates the options and fills in the defaults. `guardRandom` wraps `random` so that it cannot fail.
 *
 * @throws {InvalidOptionError} if an option is out of range or unknown.
 */
export function resolveServerOptions<Socket>(
  options: ServerOptions<Socket>,
  guardRandom: (random: () => number) => () => number = (random) => random,
): ResolvedServerOptions<Socket> {
  const schema = { ...HEARTBEAT_SCHEMA, ...SERVER_SCHEMA };
  const {
    random = Math.random,
    scheduler,
    advertise,
    session,
    pingLimit = {},
    ...resolved
  } = resolveOptions<ServerOptions<Socket>, typeof schema>(schema, options);
  const advertised = resolveAdvertise(advertise, options.pingInterval);
  const { pingInterval: asked } = advertised || {};
  const isAsked = asked !== undefined && options.pingInterval === undefined;
  const pingInterval = isAsked ? serverInterval(asked) : resolved.pingInterval;
  const timing = {
    ...resolved,
    pingInterval,
    random: guardRandom(random),
    maxInterval: pingInterval,
  };
  return {
    ...resolved,
    timing: initialTiming(timing),
    pingPlanner: scheduler === undefined ? sharedPingPlanner() : new PingPlanner(scheduler),
    preciseScheduler: scheduler ?? new SystemScheduler({ unref: true }),
    advertised,
    registry: checkRegistry(resolved.registry, session),
    userOf: session && resolveOptions(SESSION_SCHEMA, session, 'session').user,
    pingLimit: pingLimit ? resolveOptions(PING_LIMIT_SCHEMA, pingLimit, 'pingLimit') : NO_LIMIT,
  };
}

function checkRegistry<Given>(registry: Given, session: unknown): Given {
  if (registry === undefined || session !== false) return registry;
  throw new InvalidOptionError('registry', 'absent, because `session` is false', registry);
}

const NO_LIMIT: RateLimitOptions = { burst: Number.POSITIVE_INFINITY, interval: 1 };

function resolveAdvertise(
  advertise: Advertisement | false | undefined,
  pingInterval: Millis | false | undefined,
): Advertisement | false | undefined {
  if (advertise) return checkAdvertisement('advertise', advertise);
  if (advertise === false) return false;
  return typeof pingInterval === 'number' ? advertisementFor(pingInterval) : undefined;
}
