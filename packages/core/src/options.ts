import { type Resolved, resolveOptions } from './check-options.ts';
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
   * Sending a message also sends a ping: at once if nothing was received for this time, in ms,
   * otherwise half of this time later, unless data comes first. So sending on a dead link detects it
   * soon, and not only after the next interval. In (0, 2^31 - 1]. `false`: messages cause no pings.
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

/** {@link HeartbeatOptions} with defaults; `false` has become `Infinity`. */
export interface ResolvedHeartbeatOptions
  extends Resolved<Omit<HeartbeatOptions, 'random'>, typeof HEARTBEAT_SCHEMA> {
  readonly random: () => number;
  /** The longest interval that the peer can ask for: the `pingInterval`, if it was given. */
  readonly maxInterval: Millis;
}

/**
 * Validates options and adds defaults.
 *
 * @throws {InvalidOptionError} if a value is out of range or a name is unknown.
 */
export function resolveHeartbeatOptions(options: HeartbeatOptions = {}): ResolvedHeartbeatOptions {
  const { random = () => 0, ...timing } = resolveOptions(HEARTBEAT_SCHEMA, options);
  return { ...timing, random, maxInterval: options.pingInterval || Number.POSITIVE_INFINITY };
}
