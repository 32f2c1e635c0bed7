import type { ResolvedHeartbeatOptions } from './options.ts';
import type { Millis } from './time.ts';

/** What a peer says of its page. A hidden page runs its timers late, a frozen one not at all. */
export type PeerState = 'visible' | 'hidden' | 'frozen';

/** Timing that a peer advertises. What is absent stays as it is. */
export interface AdvertisedTiming {
  readonly pingInterval?: Millis | undefined;
  readonly pingTimeout?: Millis | undefined;
}

/**
 * The timing in force. Never changed, only replaced, so that the connections of a server share one
 * until a peer asks for another.
 */
export interface Timing {
  readonly options: ResolvedHeartbeatOptions;
  readonly pingInterval: Millis;
  readonly pingTimeout: Millis;
  /** How late a timer may be until that is a stall. */
  readonly timerSlack: Millis;
  readonly peerState: PeerState;
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

/** The timing that the options ask for. */
export function initialTiming(options: ResolvedHeartbeatOptions): Timing {
  const { pingInterval, pingTimeout } = options;
  return { options, pingInterval, pingTimeout, timerSlack: TIMER_SLACK, peerState: 'visible' };
}

/**
 * The timing after a peer has advertised its own. Its interval takes the place of the default, and
 * is capped by an option that was given; its timeout can only raise ours. What is off stays off.
 * The same object if nothing changes.
 */
export function adoptTiming(timing: Timing, advertised: AdvertisedTiming): Timing {
  const { options } = timing;
  const { pingInterval: asked = timing.pingInterval, pingTimeout: raised = 0 } = advertised;
  const cap = options.isIntervalGiven ? options.pingInterval : Number.POSITIVE_INFINITY;
  const isOff = options.pingInterval === Number.POSITIVE_INFINITY;
  const interval = Math.min(clamp(asked, INTERVAL_BOUNDS, timing.pingInterval), cap);
  const timeout = Math.max(options.pingTimeout, clamp(raised, TIMEOUT_BOUNDS, 0));
  const pingInterval = isOff ? timing.pingInterval : interval;
  const pingTimeout = raised > 0 ? timeout : timing.pingTimeout;
  const isSame = pingInterval === timing.pingInterval && pingTimeout === timing.pingTimeout;
  return isSame ? timing : { ...timing, pingInterval, pingTimeout };
}

/** How long an answer is waited for: a page that is not seen gets more time, a frozen one all. */
export function answerTimeout(timing: Timing): Millis {
  if (timing.peerState === 'frozen') return Number.POSITIVE_INFINITY;
  const isHidden = timing.peerState === 'hidden';
  return isHidden ? Math.max(timing.pingTimeout, HIDDEN_PEER_TIMEOUT) : timing.pingTimeout;
}

/** Draws the length of one period: `pingInterval` less jitter, in whole ms, which take less memory. */
export function drawInterval({ pingInterval, options: { jitter, random } }: Timing): Millis {
  return jitter === 0 ? pingInterval : Math.ceil(pingInterval * (1 - jitter * random()));
}

function clamp(
  value: Millis,
  { min, max }: { min: Millis; max: Millis },
  fallback: Millis,
): Millis {
  return Number.isFinite(value) ? Math.min(Math.max(value, min), max) : fallback;
}
