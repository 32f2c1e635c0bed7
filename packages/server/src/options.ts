import type { IncomingMessage } from 'node:http';
import {
  checkFunction,
  checkNames,
  countOrOff,
  duration,
  durationOrOff,
  HEARTBEAT_OPTION_NAMES,
  type HeartbeatOptions,
  InvalidOptionError,
  initialTiming,
  type Millis,
  numberWithin,
  resolveHeartbeatOptions,
  type Scheduler,
  type Timing,
} from '@wirebeat/core';
import type { RateLimitOptions } from './connection/rate-limit.ts';
import {
  type Advertisement,
  advertisementFor,
  checkAdvertisement,
  serverInterval,
} from './timing/advertisement.ts';
import { PingScheduler, sharedPingScheduler } from './timing/ping-scheduler.ts';

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
   * How many pings, of both kinds, a client may send. The server closes a client that sends more with
   * 1008. `false`: no limit.
   */
  readonly pingLimit?: PingLimit | false;
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
   * `false`: no limit.
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
}

/** How many pings a client may send. */
export interface PingLimit {
  /** Number of pings that a client may send at once. @default 50 */
  readonly burst?: number;
  /** Time in ms per ping in the long run. @default 200 */
  readonly interval?: Millis;
}

/** {@link ServerOptions} with every default filled in. */
export interface ResolvedServerOptions<Socket> {
  readonly timing: Timing;
  readonly metronome: PingScheduler;
  /** `false`: the server never advertises any timing. */
  readonly advertised: Advertisement | false | undefined;
  /** `undefined`: the secret alone decides. `false`: sessions are off. */
  readonly userOf: SessionOptions<Socket>['user'] | undefined | false;
  readonly pingLimit: RateLimitOptions;
  readonly maxBufferedBytes: number;
  readonly whenDead: 'terminate' | 'report';
  readonly whenUnresponsive: 'report' | 'terminate' | false;
  readonly maxUnresponsive: Millis;
  readonly authenticated: ServerOptions<Socket>['authenticated'];
}

const NAMES = [
  ...HEARTBEAT_OPTION_NAMES,
  'scheduler',
  'advertise',
  'session',
  'pingLimit',
  'maxBufferedBytes',
  'whenDead',
  'whenUnresponsive',
  'maxUnresponsive',
  'authenticated',
];

/** Every default of the server, with its reason. */
const DEFAULTS = {
  // 1.2 times the client's 25 s: one ping, of the side whose interval ends first, serves both.
  pingInterval: 30_000,
  pingTimeout: 20_000, // waiting costs a server little, and the client detects a dead connection first
  jitter: 0.1, // the pings of connections that opened together drift apart
  burst: 50, // below the 60 at which ws 8.23 terminates without a close code, and far above what a client needs
  interval: 200, // far more often than a client pings by itself; a flood uses up the burst within milliseconds
  maxBufferedBytes: 1_048_576, // behind more bytes than this, a pong is late on any connection
} as const;

/**
 * Validates the options and fills in the defaults. `guardRandom` wraps `random` so that it cannot fail.
 *
 * @throws {InvalidOptionError} if an option is out of range or unknown.
 */
export function resolveServerOptions<Socket>(
  options: ServerOptions<Socket>,
  guardRandom: (random: () => number) => () => number = (random) => random,
): ResolvedServerOptions<Socket> {
  checkNames('options', options, NAMES);
  const {
    scheduler,
    advertise,
    session,
    pingLimit,
    maxBufferedBytes,
    whenDead,
    whenUnresponsive,
    maxUnresponsive,
    authenticated,
    ...given
  } = options;
  const advertised = resolveAdvertise(advertise, given.pingInterval);
  const { pingInterval: asked } = advertised || {};
  const {
    pingInterval = asked === undefined ? DEFAULTS.pingInterval : serverInterval(asked),
    pingTimeout = DEFAULTS.pingTimeout,
    jitter = DEFAULTS.jitter,
    random = Math.random,
    ...rest
  } = given;
  checkFunction('random', random);
  const chance = guardRandom(random);
  const heartbeat = { ...rest, pingInterval, pingTimeout, jitter, random: chance };
  return {
    timing: initialTiming(resolveHeartbeatOptions(heartbeat)),
    metronome: scheduler === undefined ? sharedPingScheduler() : new PingScheduler(scheduler),
    advertised,
    userOf: resolveUser(session),
    pingLimit: resolvePingLimit(pingLimit),
    maxBufferedBytes: countOrOff('maxBufferedBytes', maxBufferedBytes, DEFAULTS.maxBufferedBytes),
    whenDead: oneOf('whenDead', whenDead, ['terminate', 'report']),
    whenUnresponsive: oneOf('whenUnresponsive', whenUnresponsive, ['report', 'terminate', false]),
    maxUnresponsive: durationOrOff('maxUnresponsive', maxUnresponsive, Number.POSITIVE_INFINITY),
    authenticated: checkFunction('authenticated', authenticated),
  };
}

function resolveAdvertise(
  advertise: Advertisement | false | undefined,
  pingInterval: Millis | false | undefined,
): Advertisement | false | undefined {
  if (advertise === false) return false;
  if (advertise !== undefined) return checkAdvertisement('advertise', advertise);
  return typeof pingInterval === 'number' ? advertisementFor(pingInterval) : undefined;
}

function resolveUser<Socket>(
  session: SessionOptions<Socket> | false | undefined,
): SessionOptions<Socket>['user'] | undefined | false {
  if (session === undefined || session === false) return session;
  checkNames('session', session, ['user']);
  if (typeof session.user !== 'function') {
    throw new InvalidOptionError('user', 'a function', session.user);
  }
  return session.user;
}

function resolvePingLimit(limit: PingLimit | false = {}): RateLimitOptions {
  if (limit === false) return { burst: Number.POSITIVE_INFINITY, interval: 1 };
  checkNames('pingLimit', limit, ['burst', 'interval']);
  return {
    burst: numberWithin('burst', limit.burst, DEFAULTS.burst, 1, Number.MAX_SAFE_INTEGER),
    interval: duration('interval', limit.interval, DEFAULTS.interval),
  };
}

/**
 * Returns `value`, or the first of `known` if it is undefined.
 *
 * @throws {InvalidOptionError} if `value` is not one of `known`.
 */
function oneOf<const Known extends readonly [unknown, ...unknown[]]>(
  option: string,
  value: unknown,
  known: Known,
): Known[number] {
  if (value === undefined || known.includes(value)) return value ?? known[0];
  throw new InvalidOptionError(option, known.map((one) => JSON.stringify(one)).join(' or '), value);
}
