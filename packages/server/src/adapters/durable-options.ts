import { HEARTBEAT_SCHEMA, type Millis, resolveOptions } from '@wirebeat/core';
import type { RateLimitOptions } from '../connection/rate-limit.ts';
import { PING_LIMIT_SCHEMA, type PingLimit, SERVER_SCHEMA } from '../options.ts';
import {
  type Advertisement,
  advertisedValues,
  checkAdvertisement,
  type Values,
} from '../timing/advertisement.ts';

/** Options of a `DurableHeartbeat`. Durations are in ms. */
export interface DurableOptions {
  /** For how long a client may be silent: the next alarm asks it. @default 30_000 */
  readonly pingInterval?: Millis;
  /** Time that a silent client has to answer a ping before it is dead. @default 20_000 */
  readonly pingTimeout?: Millis;
  /** How often the alarm wakes the object to look at all clients. @default 60_000 */
  readonly alarmInterval?: Millis;
  /** How many pings that wake the object a client may send. `false`: no limit. */
  readonly pingLimit?: PingLimit | false;
  /** The timing that clients are asked to use. @default none */
  readonly advertise?: Advertisement;
}

const SCHEMA = {
  pingInterval: { ...SERVER_SCHEMA.pingInterval, off: false },
  pingTimeout: { ...HEARTBEAT_SCHEMA.pingTimeout, off: false },
  alarmInterval: { type: 'duration', default: 60_000 },
  pingLimit: SERVER_SCHEMA.pingLimit,
  advertise: { type: 'object' },
} as const;

/** {@link DurableOptions} with every default filled in. */
export interface ResolvedDurableOptions {
  readonly pingInterval: Millis;
  readonly pingTimeout: Millis;
  readonly alarmInterval: Millis;
  readonly pingLimit: RateLimitOptions;
  /** What the first pong of each client says. */
  readonly welcome: Values | undefined;
}

/** @throws {InvalidOptionError} if an option is out of range or unknown. */
export function resolveDurableOptions(options: DurableOptions): ResolvedDurableOptions {
  const resolved = resolveOptions<DurableOptions, typeof SCHEMA>(SCHEMA, options);
  const { pingLimit = {}, advertise } = resolved;
  return {
    ...resolved,
    pingLimit: pingLimit
      ? resolveOptions(PING_LIMIT_SCHEMA, pingLimit, 'pingLimit')
      : { burst: Number.POSITIVE_INFINITY, interval: 1 },
    welcome: advertise && advertisedValues(checkAdvertisement('advertise', advertise)),
  };
}
