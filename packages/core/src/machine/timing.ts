import type { ResolvedHeartbeatOptions } from '../options.ts';
import type { Millis } from '../time.ts';

/** The page state that a peer sends. A hidden page runs timers late, a frozen page runs none. */
export type PeerState = 'visible' | 'hidden' | 'frozen';

/** The timing that a peer advertises, in ms. An absent value does not change the one in force. */
export interface AdvertisedTiming {
  readonly pingInterval?: Millis | undefined;
  readonly pingTimeout?: Millis | undefined;
}

/**
 * The timing in force, immutable. {@link timingInForce} computes it from the timing of this side
 * (the base), what the peer advertised last, and the page state of the peer. All connections of a
 * server share one object until their peer advertises something.
 */
export interface Timing {
  readonly options: ResolvedHeartbeatOptions;
  readonly pingInterval: Millis;
  readonly pingTimeout: Millis;
  /** How late a timer may be, in ms, before it is a stall. */
  readonly timerSlack: Millis;
  readonly peerState: PeerState;
  /** The last value of each kind that the peer advertised. */
  readonly advertised: AdvertisedTiming;
  /** The timing of this side, if the timing in force differs from it. */
  readonly base: Timing | undefined;
  /** Chooses the length of a period, in (0, pingInterval] ms. Replaces jitter. */
  readonly place: ((pingInterval: Millis) => Millis) | undefined;
}

/** How late a timer may be before it is a stall, in a visible page or on a server. */
export const TIMER_SLACK: Millis = 250;
/** The same in a hidden page, where browsers run timers only every second or two. */
export const HIDDEN_TIMER_SLACK: Millis = 2_250;
/** Browsers run chained timers of a hidden page once a minute; this adds time to answer. */
const HIDDEN_PEER_TIMEOUT: Millis = 75_000;
/** Limits for advertised values: a bad peer can neither cause a flood of pings nor disable them. */
const INTERVAL_BOUNDS = { min: 1_000, max: 120_000 };
const TIMEOUT_BOUNDS = { min: 1_000, max: 60_000 };

const NOTHING: AdvertisedTiming = {};

/** The timing that the options ask for. */
export function initialTiming(options: ResolvedHeartbeatOptions): Timing {
  return {
    options,
    pingInterval: options.pingInterval,
    pingTimeout: options.pingTimeout,
    timerSlack: TIMER_SLACK,
    peerState: 'visible',
    advertised: NOTHING,
    base: undefined,
    place: undefined,
  };
}

/**
 * Returns the timing in force for the timing `base` of this side. An advertised interval replaces
 * the default, but never exceeds a `pingInterval` that was given. An advertised timeout can only
 * make ours longer. What is off stays off. Returns `base` itself if the peer changes nothing.
 */
export function timingInForce(
  base: Timing,
  advertised: AdvertisedTiming,
  peerState: PeerState,
): Timing {
  const { pingInterval: asked, pingTimeout: raised } = advertised;
  if (asked === undefined && raised === undefined && peerState === 'visible') return base;
  const { isIntervalGiven, pingInterval: given } = base.options;
  let { pingInterval, pingTimeout } = base;
  if (asked !== undefined && given !== Number.POSITIVE_INFINITY) {
    pingInterval = clamp(asked, INTERVAL_BOUNDS);
    if (isIntervalGiven) pingInterval = Math.min(pingInterval, given);
  }
  if (raised !== undefined) pingTimeout = Math.max(pingTimeout, clamp(raised, TIMEOUT_BOUNDS));
  return { ...base, pingInterval, pingTimeout, peerState, advertised, base };
}

/** Returns the timing after the peer has advertised its own. Ignores absent and invalid values. */
export function adoptTiming(timing: Timing, advertised: AdvertisedTiming): Timing {
  const { pingInterval, pingTimeout } = advertised;
  const before = timing.advertised;
  return timingInForce(
    timing.base ?? timing,
    {
      pingInterval: Number.isFinite(pingInterval) ? pingInterval : before.pingInterval,
      pingTimeout: Number.isFinite(pingTimeout) ? pingTimeout : before.pingTimeout,
    },
    timing.peerState,
  );
}

/** Returns how long to wait for an answer: longer for a hidden page, forever for a frozen one. */
export function answerTimeout(timing: Timing): Millis {
  if (timing.peerState === 'frozen') return Number.POSITIVE_INFINITY;
  const isHidden = timing.peerState === 'hidden';
  return isHidden ? Math.max(timing.pingTimeout, HIDDEN_PEER_TIMEOUT) : timing.pingTimeout;
}

/** Draws the length of one period: `pingInterval` minus jitter, in whole ms to save memory. */
export function drawInterval({ pingInterval, place, options }: Timing): Millis {
  if (place !== undefined) return place(pingInterval);
  const { jitter, random } = options;
  return jitter === 0 ? pingInterval : Math.ceil(pingInterval * (1 - jitter * random()));
}

function clamp(value: Millis, { min, max }: { min: Millis; max: Millis }): Millis {
  return Math.min(Math.max(value, min), max);
}
