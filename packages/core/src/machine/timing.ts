import { IS_PAGE } from '../development.ts';
import type { ResolvedHeartbeatOptions } from '../options.ts';
import type { Millis } from '../time.ts';

/** The page state that a peer sends. A hidden page runs timers late, a frozen page runs none. */
export type PeerState = 'visible' | 'hidden' | 'frozen';

/** The timing that a peer advertises, in ms. An absent value does not change the one in force. */
export interface AdvertisedTiming {
  readonly pingInterval?: Millis | undefined;
  readonly pingTimeout?: Millis | undefined;
}

/** The timing of one side, immutable. All connections of a server share one object. */
export interface Timing extends ResolvedHeartbeatOptions {
  /** How late a timer may be, in ms, before it is a stall. */
  readonly timerSlack: Millis;
  /** Chooses the length of a period, in (0, pingInterval] ms. Replaces jitter. */
  readonly place?: (pingInterval: Millis) => Millis;
}

/** How late a timer may be before it is a stall, in a visible page or on a server. */
export const TIMER_SLACK: Millis = 250;
/** The same in a hidden page, where browsers run timers only every second or two. */
export const HIDDEN_TIMER_SLACK: Millis = 2_250;
/** Browsers run chained timers of a hidden page once a minute; this adds time to answer. */
const HIDDEN_PEER_TIMEOUT: Millis = 75_000;
/** The limits of advertised values: a bad peer can neither cause a flood of pings nor disable them. */
const MIN_ADVERTISED: Millis = 1_000;
export const MAX_ADVERTISED_INTERVAL: Millis = 120_000;
export const MAX_ADVERTISED_TIMEOUT: Millis = 60_000;

/** The timing that the options ask for. */
export function initialTiming(options: ResolvedHeartbeatOptions): Timing {
  return { ...options, timerSlack: TIMER_SLACK };
}

/** Returns an advertised value within its limits, or `before` if it is absent or invalid. */
export function limited(asked: Millis | undefined, max: Millis, before: Millis): Millis {
  return Number.isFinite(asked) ? Math.min(Math.max(asked as Millis, MIN_ADVERTISED), max) : before;
}

/** Returns how long to wait for an answer: longer for a hidden page, forever for a frozen one. */
export function answerTimeout(pingTimeout: Millis, peerState: PeerState): Millis {
  if (IS_PAGE || peerState === 'visible') return pingTimeout;
  return peerState === 'frozen'
    ? Number.POSITIVE_INFINITY
    : Math.max(pingTimeout, HIDDEN_PEER_TIMEOUT);
}

/** Draws the length of one period: `pingInterval` minus jitter, in whole ms to save memory. */
export function drawInterval(
  { jitter, random, place, pingInterval: own }: Timing,
  pingInterval: Millis = own,
): Millis {
  if (!IS_PAGE && place !== undefined) return place(pingInterval);
  return jitter === 0 ? pingInterval : Math.ceil(pingInterval * (1 - jitter * random()));
}
