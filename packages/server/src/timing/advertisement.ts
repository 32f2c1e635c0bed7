import { checkNames, InvalidOptionError, type Millis, numberWithin } from '@wirebeat/core';

/** Values of a beat. */
export type Values = Readonly<Record<string, string>>;

/** The timing that a server asks of its clients. An option that a client was given caps the interval. */
export interface Advertisement {
  /** In [1 000, 120 000]: clients keep to that whatever they are told. */
  readonly pingInterval?: Millis;
  /** In [1 000, 60 000]. Only ever raises a client's own. */
  readonly pingTimeout?: Millis;
}

const NAMES = ['pingInterval', 'pingTimeout'];
const MIN: Millis = 1_000;
const MAX_INTERVAL: Millis = 120_000;
const MAX_TIMEOUT: Millis = 60_000;
/** The server's interval as a multiple of the client's, so that the page drives the beat. */
const PATIENCE = 1.2;

/** @throws {InvalidOptionError} if it is out of its range, says nothing, or a name is unknown. */
export function checkAdvertisement(option: string, advertised: Advertisement): Advertisement {
  checkNames(option, advertised, NAMES);
  const { pingInterval, pingTimeout } = advertised;
  numberWithin('pingInterval', pingInterval, MIN, MIN, MAX_INTERVAL);
  numberWithin('pingTimeout', pingTimeout, MIN, MIN, MAX_TIMEOUT);
  if (pingInterval === undefined && pingTimeout === undefined) {
    throw new InvalidOptionError(option, 'an object that has a pingInterval or pingTimeout', {});
  }
  return advertised;
}

/** What a server with this interval asks of its clients: theirs comes first. */
export function advertisementFor(pingInterval: Millis): Advertisement {
  const interval = Math.floor(pingInterval / PATIENCE);
  return { pingInterval: Math.min(Math.max(interval, MIN), MAX_INTERVAL) };
}

/** The interval of a server whose clients have been asked for this. */
export function serverInterval(pingInterval: Millis): Millis {
  return Math.ceil(pingInterval * PATIENCE);
}

/** As it stands in a beat: whole numbers. */
export function advertisedValues({ pingInterval, pingTimeout }: Advertisement): Values {
  return {
    ...(pingInterval !== undefined && { pingInterval: String(Math.round(pingInterval)) }),
    ...(pingTimeout !== undefined && { pingTimeout: String(Math.round(pingTimeout)) }),
  };
}
