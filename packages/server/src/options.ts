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
   * Returns the user of a connection, as any value that is the same for the same user, such as an id;
   * `undefined` or `null` while the user is not known. Called at the client's pings with a session, until
   * it is. May return a promise: the session is bound when it resolves, and not if it rejects. The
   * request is absent for a socket that was open before the heartbeat was attached.
   */
  readonly user: (socket: Socket, request: IncomingMessage | undefined) => unknown;
}

/** Options of `attachHeartbeat`. */
export interface ServerOptions<Socket = never> extends HeartbeatOptions {
  /** 1.2 times the client's, so that the page drives. @default 30_000 */
  readonly pingInterval?: Millis | false;
  /** @default 20_000 */
  readonly pingTimeout?: Millis | false;
  /** Part of `pingInterval` that chance takes away, in [0, 0.999]. @default 0.1 */
  readonly jitter?: number;
  /**
   * Source of that chance, in [0, 1). Of four draws the one counts that falls where the fewest beats
   * are due.
   * @default Math.random
   */
  readonly random?: () => number;
  /** Clock and timers. @default one timing wheel for this process, which does not keep it running */
  readonly scheduler?: Scheduler;
  /**
   * What clients are told of the timing at their first ping. `false`: nothing.
   * @default the `pingInterval` that was given, divided by 1.2; nothing if none was
   */
  readonly advertise?: Advertisement | false;
  /**
   * A client's newer connection ends its older one: a client proves by a secret of 128 bits that both
   * are its own. `{ user }`: both must be of the same user too. `false`: no connection ends another.
   * @default the secret alone decides
   */
  readonly session?: SessionOptions<Socket> | false;
  /**
   * How many pings, of both kinds, a client may send: more, and it is closed with 1008. `false`: as
   * many as it likes.
   */
  readonly pingLimit?: PingLimit | false;
  /** No pong is added to more bytes than these that wait to leave. `false`: always. @default 1_048_576 */
  readonly maxBufferedBytes?: number | false;
  /** What becomes of a dead peer: `report` leaves its socket open, and to the application. @default 'terminate' */
  readonly whenDead?: 'terminate' | 'report';
  /**
   * What becomes of a client whose page is silent while its WebSocket layer answers: `report` tells
   * `unresponsive`, `terminate` ends it then. `false`: no page is asked. @default 'report'
   */
  readonly whenUnresponsive?: 'report' | 'terminate' | false;
  /**
   * How long a page may be unresponsive, or say that it is frozen, until it is ended: browsers go on
   * answering for pages that have lost their socket. `false`: for ever. @default false
   */
  readonly maxUnresponsive?: Millis | false;
  /**
   * Whether a client has passed the application's own authentication. Pings of one that has not are
   * answered, but do not count as `lastSeen`. May return a promise. One that throws or rejects says no.
   * @default every client has
   */
  readonly authenticated?: (socket: Socket) => boolean | PromiseLike<boolean>;
}

/** How many pings a client may send. */
export interface PingLimit {
  /** So many at once. @default 50 */
  readonly burst?: number;
  /** One in this time in the long run. @default 200 */
  readonly interval?: Millis;
}

/** {@link ServerOptions} as the server keeps them. */
export interface ResolvedServerOptions<Socket> {
  readonly timing: Timing;
  readonly metronome: PingScheduler;
  /** `false`: nothing, and never. */
  readonly advertised: Advertisement | false | undefined;
  /** `undefined`: the secret alone decides. `false`: there are no sessions. */
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
  pingInterval: 30_000, // 1.2 times the client's 25 s: whoever's time comes first pings for both
  pingTimeout: 20_000, // a server loses nothing by patience; the page finds a dead link first
  jitter: 0.1, // connections that were made together drift apart
  burst: 50, // below the 60 at which ws 8.23 terminates without a word, and far above any client's need
  interval: 200, // a hundred times what a client sends unasked; a flood is noticed in a millisecond
  maxBufferedBytes: 1_048_576, // behind more, a pong is late on any link
} as const;

/**
 * `guardRandom` makes of the source of chance one that cannot fail.
 *
 * @throws {InvalidOptionError} if an option is out of its range or unknown.
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

/** The first is the default. @throws {InvalidOptionError} */
function oneOf<const Known extends readonly [unknown, ...unknown[]]>(
  option: string,
  value: unknown,
  known: Known,
): Known[number] {
  if (value === undefined || known.includes(value)) return value ?? known[0];
  throw new InvalidOptionError(option, known.map((one) => JSON.stringify(one)).join(' or '), value);
}
