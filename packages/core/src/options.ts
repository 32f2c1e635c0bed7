import { InvalidOptionError } from './errors.ts';
import { MAX_DELAY, type Millis } from './time.ts';

/** The timing of one {@link Heartbeat}. */
export interface HeartbeatOptions {
  /**
   * Silence, in either direction, after which a ping is sent. `false`: no ping is sent unasked.
   *
   * Keep it below the idle timeout of every proxy on the way.
   * @default 25_000
   */
  readonly pingInterval?: Millis | false;
  /**
   * Wait after a ping until the peer is dead, if nothing at all was received. `false`: for ever.
   * @default 20_000
   */
  readonly pingTimeout?: Millis | false;
  /**
   * Silence that a peer may keep that answers no pings at all, until it is dead. `false`: for ever,
   * for silence is all that such a peer promises.
   * @default false
   */
  readonly maxSilence?: Millis | false;
  /**
   * A message sent after the peer was silent for this long takes a ping along, so that sending on a
   * dead link detects it soon and not at the next interval. After a shorter silence the ping follows
   * half of this time later, unless something is received before. `false`: messages bring no pings.
   * @default false
   */
  readonly probeAfter?: Millis | false;
  /**
   * The least time to wait for an answer before the peer is `suspect`. Measured latency makes it longer.
   * @default 1_000
   */
  readonly suspectAfter?: Millis;
  /**
   * Part of `pingInterval`, in [0, 0.999], that chance takes away from each interval, so that many
   * peers do not ping in step. Subtractive: `pingInterval` stays a true upper bound.
   * @default 0
   */
  readonly jitter?: number;
  /** Source of that chance, in [0, 1). Without it, the interval is not varied. */
  readonly random?: () => number;
}

/** {@link HeartbeatOptions} as the machine keeps them: off is `Infinity`. */
export interface ResolvedHeartbeatOptions {
  readonly pingInterval: Millis;
  readonly pingTimeout: Millis;
  readonly maxSilence: Millis;
  readonly probeAfter: Millis;
  readonly suspectAfter: Millis;
  readonly jitter: number;
  readonly random: () => number;
  /** Whether `pingInterval` was given: then what the peer advertises does not exceed it. */
  readonly isIntervalGiven: boolean;
}

/** How long to wait before each attempt to connect. */
export interface BackoffOptions {
  /** Upper end of the first wait. @default 500 */
  readonly minDelay?: Millis;
  /** Upper end of every wait. @default 30_000 */
  readonly maxDelay?: Millis;
  /** Growth of the upper end from one attempt to the next, at least 1. @default 2 */
  readonly factor?: number;
  /**
   * What chance makes of a delay d: `full` takes from [0, d), `equal` from [d/2, d), `none` takes d.
   * @default 'full'
   */
  readonly jitter?: 'full' | 'equal' | 'none';
  /** Source of chance, in [0, 1). */
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

/** Every default of the core, with its reason. */
export const DEFAULTS = {
  pingInterval: 25_000, // below the 30 s at which the strictest common proxies close idle connections
  suspectAfter: 1_000, // RFC 6298 (2.4)
  pingTimeout: 20_000, // outlasts an outage of 8 s and the wait that TCP has doubled meanwhile
  minDelay: 500, // the first attempt comes within half a second: most losses are brief
  maxDelay: 30_000, // long enough to spare a server that is down, short enough to notice its return
  factor: 2, // the usual doubling
} as const;

/** @throws {InvalidOptionError} if a value is out of its range or a name is unknown. */
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

/** Accepts a duration, or `false` for off, which reads as `Infinity`. @throws {InvalidOptionError} */
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

/** Accepts a whole number >= 0, or `false` for off, which reads as `Infinity`. @throws {InvalidOptionError} */
export function countOrOff(option: string, value: unknown, fallback: number): number {
  if (value === false) return Number.POSITIVE_INFINITY;
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new InvalidOptionError(option, 'a whole number >= 0, or false', value);
}

/** Accepts a function or nothing. @throws {InvalidOptionError} */
export function checkFunction<T>(option: string, value: T): T {
  if (value === undefined || typeof value === 'function') return value;
  throw new InvalidOptionError(option, 'a function', value);
}

/** Refuses what is no object, and names that are not known. @throws {InvalidOptionError} */
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
