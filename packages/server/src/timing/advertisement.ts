import { InvalidOptionError, type Millis, resolveOptions } from '@wirebeat/core';

/** The values that a ping or pong carries. */
export type Values = Readonly<Record<string, string>>;

/**
 * The timing that a server asks its clients to use, in ms. A `pingInterval` option of the client caps
 * the interval.
 */
export interface Advertisement {
  /** Client ping interval, in [1 000, 120 000]. Clients clamp it to this range. */
  readonly pingInterval?: Millis;
  /** Client ping timeout, in [1 000, 60 000]. It can only raise a client's own timeout. */
  readonly pingTimeout?: Millis;
}

/** The limits of an {@link Advertisement}: those to which clients clamp it. */
export const ADVERTISEMENT_SCHEMA = {
  pingInterval: { type: 'number', min: 1_000, max: 120_000 },
  pingTimeout: { type: 'number', min: 1_000, max: 60_000 },
} as const;

/** The server's interval as a multiple of the client's, so that normally the client pings first. */
const PATIENCE = 1.2;

/** @throws {InvalidOptionError} if a value is out of range, both are missing, or a name is unknown. */
export function checkAdvertisement(option: string, advertised: Advertisement): Advertisement {
  const { pingInterval, pingTimeout } = resolveOptions(ADVERTISEMENT_SCHEMA, advertised, option);
  if (pingInterval === undefined && pingTimeout === undefined) {
    throw new InvalidOptionError(option, 'an object that has a pingInterval or pingTimeout', {});
  }
  return advertised;
}

/**
 * Returns what a server with this interval asks of its clients: a shorter interval, so that they ping
 * first.
 */
export function advertisementFor(pingInterval: Millis): Advertisement {
  const { min, max } = ADVERTISEMENT_SCHEMA.pingInterval;
  const interval = Math.floor(pingInterval / PATIENCE);
  return { pingInterval: Math.min(Math.max(interval, min), max) };
}

/** Returns the interval of a server that asks its clients for `pingInterval`. */
export function serverInterval(pingInterval: Millis): Millis {
  return Math.ceil(pingInterval * PATIENCE);
}

/** Returns the values of a ping or pong for this advertisement, as whole numbers. */
export function advertisedValues({ pingInterval, pingTimeout }: Advertisement): Values {
  return {
    ...(pingInterval !== undefined && { pingInterval: String(Math.round(pingInterval)) }),
    ...(pingTimeout !== undefined && { pingTimeout: String(Math.round(pingTimeout)) }),
  };
}
