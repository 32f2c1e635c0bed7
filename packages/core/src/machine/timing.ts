import type { ResolvedHeartbeatOptions } from '../options.ts';
import type { Millis } from '../time.ts';

/** What a peer says of its page. A hidden page runs its timers late, a frozen one not at all. */
export type PeerState = 'visible' | 'hidden' | 'frozen';

/** Timing that a peer advertises. What is absent stays as it is. */
export interface AdvertisedTiming {
  readonly pingInterval?: Millis | undefined;
  readonly pingTimeout?: Millis | undefined;
}

/**
 * The timing in force: plain data, never changed, only replaced. It is a function of what this side
 * asks for (the base), what the peer advertised last, and what its page is: {@link timingInForce}.
 * So the connections of a server share one until their peer says something.
 */
export interface Timing {
  readonly options: ResolvedHeartbeatOptions;
  readonly pingInterval: Millis;
  readonly pingTimeout: Millis;
  /** How late a timer may be until that is a stall. */
  readonly timerSlack: Millis;
  readonly peerState: PeerState;
  /** What the peer advertised last of each. */
  readonly advertised: AdvertisedTiming;
  /** What this side asks for, where something else is in force. */
  readonly base: Timing | undefined;
  /** Chooses the length of a period, at most its argument, where jitter alone does not. */
  readonly place: ((pingInterval: Millis) => Millis) | undefined;
}

/** How late a timer may be in a page that is seen, or on a server, until that is a stall. */
export const TIMER_SLACK: Millis = 250;
/** The same in a hidden page, where browsers run timers once a second, or once in two. */
export const HIDDEN_TIMER_SLACK: Millis = 2_250;
/** Browsers run the chained timers of a hidden page once a minute; that, and time to answer. */
const HIDDEN_PEER_TIMEOUT: Millis = 75_000;
/** Bounds on what a peer may advertise: a bad one neither makes us flood nor makes us blind. */
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
 * The timing in force where this side asks for `base`. An interval that the peer advertises takes the
 * place of the default, and is capped by an option that was given; its timeout can only raise ours.
 * What is off stays off. `base` itself, where the peer changes nothing.
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

/** The timing after the peer has advertised its own. What is absent, or no time, stays as it was. */
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

/** How long an answer is waited for: a page that is not seen gets more time, a frozen one all. */
export function answerTimeout(timing: Timing): Millis {
  if (timing.peerState === 'frozen') return Number.POSITIVE_INFINITY;
  const isHidden = timing.peerState === 'hidden';
  return isHidden ? Math.max(timing.pingTimeout, HIDDEN_PEER_TIMEOUT) : timing.pingTimeout;
}

/** Draws the length of one period: `pingInterval` less jitter, in whole ms, which take less memory. */
export function drawInterval({ pingInterval, place, options }: Timing): Millis {
  if (place !== undefined) return place(pingInterval);
  const { jitter, random } = options;
  return jitter === 0 ? pingInterval : Math.ceil(pingInterval * (1 - jitter * random()));
}

function clamp(value: Millis, { min, max }: { min: Millis; max: Millis }): Millis {
  return Math.min(Math.max(value, min), max);
}
