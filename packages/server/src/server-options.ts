import type { IncomingMessage } from 'node:http';
import {
  checkNames,
  HEARTBEAT_OPTION_NAMES,
  type HeartbeatOptions,
  InvalidOptionError,
  initialTiming,
  type Millis,
  resolveHeartbeatOptions,
  type Scheduler,
  type Timing,
} from '@wirebeat/core';
import {
  type Advertisement,
  advertisementFor,
  checkAdvertisement,
  serverInterval,
} from './advertisement.ts';
import { Metronome, sharedMetronome } from './metronome.ts';

/** How sessions are bound to users. */
export interface SessionOptions<Socket> {
  /**
   * Tells whose a connection is, by anything that is the same value for the same user, such as an id;
   * `undefined` or `null` while that is not known. Asked at the client's pings until it is. The request is
   * absent for a socket that was open before the heartbeat was attached.
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
  /** Lets a client replace a connection of its own by a newer one. @default off */
  readonly session?: SessionOptions<Socket> | false;
}

/** {@link ServerOptions} as the server keeps them. */
export interface ResolvedServerOptions<Socket> {
  readonly timing: Timing;
  readonly metronome: Metronome;
  /** `false`: nothing, and never. */
  readonly advertised: Advertisement | false | undefined;
  readonly userOf: SessionOptions<Socket>['user'] | undefined;
}

const NAMES = [...HEARTBEAT_OPTION_NAMES, 'scheduler', 'advertise', 'session'];

/** Every default of the server, with its reason. */
const DEFAULTS = {
  pingInterval: 30_000, // 1.2 times the client's 25 s: whoever's time comes first pings for both
  pingTimeout: 20_000, // a server loses nothing by patience; the page finds a dead link first
  jitter: 0.1, // connections that were made together drift apart
} as const;

/** @throws {InvalidOptionError} if an option is out of its range or unknown. */
export function resolveServerOptions<Socket>(
  options: ServerOptions<Socket>,
): ResolvedServerOptions<Socket> {
  checkNames('options', options, NAMES);
  const { scheduler, advertise, session, ...given } = options;
  const advertised = resolveAdvertise(advertise, given.pingInterval);
  const { pingInterval: asked } = advertised || {};
  const {
    pingInterval = asked === undefined ? DEFAULTS.pingInterval : serverInterval(asked),
    pingTimeout = DEFAULTS.pingTimeout,
    jitter = DEFAULTS.jitter,
    random = Math.random,
    ...rest
  } = given;
  const heartbeat = { ...rest, pingInterval, pingTimeout, jitter, random };
  return {
    timing: initialTiming(resolveHeartbeatOptions(heartbeat)),
    metronome: scheduler === undefined ? sharedMetronome() : new Metronome(scheduler),
    advertised,
    userOf: resolveUser(session),
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
): SessionOptions<Socket>['user'] | undefined {
  if (session === undefined || session === false) return undefined;
  checkNames('session', session, ['user']);
  if (typeof session.user !== 'function') {
    throw new InvalidOptionError('user', 'a function', session.user);
  }
  return session.user;
}
