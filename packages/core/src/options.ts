import { InvalidOptionError } from './errors.ts';
import { MAX_DELAY, type Millis } from './time.ts';

/** The timing of one {@link Heartbeat}. */
export interface HeartbeatOptions {
  /**
   * Time without traffic, in ms, after which a ping is sent. Each direction counts separately. In
   * (0, 2^31 - 1]. `false` turns scheduled pings off.
   *
   * Choose a value below the idle timeout of every proxy between client and server.
   * @default 25_000
   */
  readonly pingInterval?: Millis | false;
  /**
   * Time after a ping, in ms, until the peer is `dead` if nothing at all was received. In
   * (0, 2^31 - 1]. With `false`, the wait never ends.
   * @default 20_000
   */
  readonly pingTimeout?: Millis | false;
  /**
   * Time without received data, in ms, until a peer that does not answer pings is `dead`. In
   * (0, 2^31 - 1]. With `false`, such a peer never times out, because it may have nothing to send.
   * @default false
   */
  readonly maxSilence?: Millis | false;
  /**
   * If nothing was received for this time, in ms, sending a message also sends a ping. So sending
   * on a dead link detects it soon, and not only after the next interval. If something was received
   * more recently, the ping follows half of this time after the message, unless data is received
   * before then. In (0, 2^31 - 1]. `false`: messages cause no pings.
   * @default false
   */
  readonly probeAfter?: Millis | false;
  /**
   * The minimum time after a ping, in ms, until the peer is `suspect`. High or varying latency
   * makes the time longer, up to `pingTimeout`. In (0, 2^31 - 1].
   * @default 1_000
   */
  readonly suspectAfter?: Millis;
  /**
   * The largest fraction of `pingInterval` that is randomly subtracted from each interval, in
   * [0, 0.999], so that many peers do not ping at the same time. No interval is longer than
   * `pingInterval`.
   * @default 0
   */
  readonly jitter?: number;
  /** Returns random numbers in [0, 1). Without it, the interval does not vary. @default () => 0 */
  readonly random?: () => number;
}

/** {@link HeartbeatOptions} after validation: `false` has become `Infinity`. */
export interface ResolvedHeartbeatOptions {
  readonly pingInterval: Millis;
  readonly pingTimeout: Millis;
  readonly maxSilence: Millis;
  readonly probeAfter: Millis;
  readonly suspectAfter: Millis;
  readonly jitter: number;
  readonly random: () => number;
  /** Whether `pingInterval` was given: then the peer cannot make the interval longer. */
  readonly isIntervalGiven: boolean;
}

/** How long to wait before each attempt to connect. Delays are in ms, in (0, 2^31 - 1]. */
export interface BackoffOptions {
  /** The maximum of the first delay. @default 500 */
  readonly minDelay?: Millis;
  /** The maximum of every delay. @default 30_000 */
  readonly maxDelay?: Millis;
  /** The factor by which the maximum grows from one attempt to the next, in [1, 100]. @default 2 */
  readonly factor?: number;
  /**
   * How a delay is drawn, where d is its maximum: `full` from [0, d), `equal` from [d/2, d), `none`
   * always d.
   * @default 'full'
   */
  readonly jitter?: 'full' | 'equal' | 'none';
  /** Returns random numbers in [0, 1). */
  readonly random: () => number;
}

/** The names of {@link HeartbeatOptions}. */
export const HEARTBEAT_OPTION_NAMES: readonly string[] = [
  'pingInterval',
  'pingTimeout',
  'maxSilence',
  'probeAfter',
  'suspectAfter',
  'jitter',
  'random',
];

/** The defaults of the core, with reasons. Durations are in ms. */
export const DEFAULTS = {
  pingInterval: 25_000, // below the 30 s at which the strictest common proxies close idle connections
  suspectAfter: 1_000, // RFC 6298 (2.4)
  pingTimeout: 20_000, // longer than an outage of 8 s plus the doubled TCP retransmission timeout
  minDelay: 500, // the first attempt comes within half a second: most losses are brief
  maxDelay: 30_000, // long enough not to overload a server, short enough to reconnect soon
  factor: 2, // the usual doubling
} as const;

/**
 * Validates options and adds defaults.
 *
 * @throws {InvalidOptionError} if a value is out of range or a name is unknown.
 */
export function resolveHeartbeatOptions(options: HeartbeatOptions = {}): ResolvedHeartbeatOptions {
  checkNames('options', options, HEARTBEAT_OPTION_NAMES);
  return {
    pingInterval: durationOrOff('pingInterval', options.pingInterval, DEFAULTS.pingInterval),
    pingTimeout: durationOrOff('pingTimeout', options.pingTimeout, DEFAULTS.pingTimeout),
    maxSilence: durationOrOff('maxSilence', options.maxSilence, Number.POSITIVE_INFINITY),
    probeAfter: durationOrOff('probeAfter', options.probeAfter, Number.POSITIVE_INFINITY),
    suspectAfter: duration('suspectAfter', options.suspectAfter, DEFAULTS.suspectAfter),
    jitter: numberWithin('jitter', options.jitter, 0, 0, 0.999),
    random: checkFunction('random', options.random) ?? (() => 0),
    isIntervalGiven: options.pingInterval !== undefined,
  };
}

/** Accepts a duration in (0, 2^31 - 1] ms. @throws {InvalidOptionError} */
export function duration(option: string, value: unknown, fallback: Millis): Millis {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value > 0 && value <= MAX_DELAY) return value;
  throw new InvalidOptionError(option, `a number > 0 and <= ${MAX_DELAY} (ms)`, value);
}

/** Accepts a duration, or `false`, which becomes `Infinity`. @throws {InvalidOptionError} */
export function durationOrOff(option: string, value: unknown, fallback: Millis): Millis {
  if (value === false) return Number.POSITIVE_INFINITY;
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value > 0 && value <= MAX_DELAY) return value;
  throw new InvalidOptionError(option, `a number > 0 and <= ${MAX_DELAY} (ms), or false`, value);
}

/** Accepts a number in [min, max]. @throws {InvalidOptionError} */
export function numberWithin(
  option: string,
  value: unknown,
  fallback: number,
  min: number,
  max: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw new InvalidOptionError(option, `a number in [${min}, ${max}]`, value);
}

/**
 * Accepts a whole number >= 0, or `false`, which becomes `Infinity`.
 * @throws {InvalidOptionError}
 */
export function countOrOff(option: string, value: unknown, fallback: number): number {
  if (value === false) return Number.POSITIVE_INFINITY;
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new InvalidOptionError(option, 'a whole number >= 0, or false', value);
}

/** Accepts a function or undefined. @throws {InvalidOptionError} */
export function checkFunction<T>(option: string, value: T): T {
  if (value === undefined || typeof value === 'function') return value;
  throw new InvalidOptionError(option, 'a function', value);
}

/** Accepts an object with only `known` property names. @throws {InvalidOptionError} */
export function checkNames(option: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidOptionError(option, 'an object', value);
  }
  for (const [name, given] of Object.entries(value)) {
    if (!known.includes(name)) {
      throw new InvalidOptionError(name, `absent: known options are ${known.join(', ')}`, given);
    }
  }
}
