import { type Resolved, resolveOptions } from './schema.ts';
import type { Millis } from './time.ts';

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

/** The options of a {@link Heartbeat}. Durations are in ms. */
export const HEARTBEAT_SCHEMA = {
  // Below the 30 s at which the strictest common proxies close idle connections.
  pingInterval: { type: 'duration', default: 25_000, off: true },
  // Longer than an outage of 8 s plus the doubled TCP retransmission timeout.
  pingTimeout: { type: 'duration', default: 20_000, off: true },
  maxSilence: { type: 'duration', default: false, off: true },
  probeAfter: { type: 'duration', default: false, off: true },
  suspectAfter: { type: 'duration', default: 1_000 }, // RFC 6298 (2.4)
  jitter: { type: 'number', default: 0, min: 0, max: 0.999 },
  random: { type: 'function' },
} as const;

/** The options of a {@link Backoff}. Durations are in ms. */
export const BACKOFF_SCHEMA = {
  minDelay: { type: 'duration', default: 500 }, // most losses are brief
  maxDelay: { type: 'duration', default: 30_000 }, // spares the server, and still reconnects soon
  factor: { type: 'number', default: 2, min: 1, max: 100 },
  jitter: { type: 'choice', of: ['full', 'equal', 'none'], default: 'full' },
  random: { type: 'function', required: true },
} as const;

/** {@link HeartbeatOptions} with defaults; `false` has become `Infinity`. */
export interface ResolvedHeartbeatOptions
  extends Resolved<Omit<HeartbeatOptions, 'random'>, typeof HEARTBEAT_SCHEMA> {
  readonly random: () => number;
  /** Whether `pingInterval` was given: then the peer cannot make the interval longer. */
  readonly isIntervalGiven: boolean;
}

/**
 * Validates options and adds defaults.
 *
 * @throws {InvalidOptionError} if a value is out of range or a name is unknown.
 */
export function resolveHeartbeatOptions(options: HeartbeatOptions = {}): ResolvedHeartbeatOptions {
  const { random = () => 0, ...timing } = resolveOptions(HEARTBEAT_SCHEMA, options);
  return { ...timing, random, isIntervalGiven: options.pingInterval !== undefined };
}
