import { IS_PAGE } from '../development.ts';
import type { Instant, Millis } from '../time.ts';
import { type HeartbeatState, NEVER } from './heartbeat-state.ts';
import { answerTimeout } from './timing.ts';

/** How long a verdict waits for unread input: queued pongs arrive up to 100 ms after a timer. */
export const VERDICT_WAIT: Millis = 250;
/** How many pings in a row may be skipped, if the peer may not expect skipped pings. */
export const MAX_SKIPS = 3;
/**
 * The longest time that a ping may wait behind bytes queued before it, as a multiple of pingTimeout.
 */
export const BACKLOG_TIMEOUTS = 5;
/** A peer that sends is `one-way` after it has answered no ping for this many periods. */
const ONE_WAY_PERIODS = 3;
/** How often to check whether a paused socket is still paused. */
const PAUSE_LOOK: Millis = 1_000;

/**
 * The timeout in force, in ms: from the options or advertised by the peer; longer after timeouts in
 * a row and for a hidden page.
 */
export function timeoutOf({ baseTimeout, peerState, memory }: HeartbeatState): Millis {
  const timeout = answerTimeout(baseTimeout, peerState);
  return memory?.stretch(timeout) ?? timeout;
}

/** When the machine must act next. */
export function deadlineOf(state: HeartbeatState): Instant {
  const { is, suspectAt, verdictAt } = state;
  if (!is.open || is.suspended) return NEVER;
  if (!IS_PAGE && is.paused) return state.afreshAt + PAUSE_LOOK;
  const due = Math.min(pingAt(state), suspectAt, verdictAt < NEVER ? verdictAt : judgedAt(state));
  return Math.ceil(due); // whole ms, like the instants that it is compared with
}

/** When the next ping is due. */
export function pingAt(state: HeartbeatState): Instant {
  if (state.is.muted || (!IS_PAGE && state.peerState === 'frozen')) return NEVER;
  return Math.min(Math.max(quietAt(state), state.afreshAt), state.probeAt);
}

/** When one of the two directions has been quiet for an interval. */
export function quietAt({
  is,
  pings,
  lastPing,
  lastSent,
  lastReceived,
  interval,
}: HeartbeatState): Instant {
  // While a ping is unanswered, traffic does not postpone the next one.
  if (pings.oldest) return lastPing + interval;
  const skipsEnd = is.peerPings ? NEVER : lastPing + (MAX_SKIPS + 1) * interval;
  return Math.min(lastSent + interval, lastReceived + interval, skipsEnd);
}

/** When the peer times out, before VERDICT_WAIT. */
export function judgedAt(state: HeartbeatState): Instant {
  const { is, memory, pings, timeoutAt } = state;
  if (is.muted) return state.lastReceived + state.maxSilence;
  if (!pings.oldest || !(is.peerAnswers || memory?.hasAnswered)) return timeoutAt;
  // One-way: counts from the oldest unanswered ping or the last pong. After a stall it counts anew, because
  // the pongs may be behind messages that are still unread.
  const owedSince = Math.max(pings.owedSince, state.afreshAt);
  const periods = ONE_WAY_PERIODS * (state.pingInterval + timeoutOf(state));
  return Math.min(timeoutAt, owedSince + periods);
}

/**
 * The longest time from the last byte received to `dead`, with the timing in force and while this
 * process runs.
 */
export function detectionBoundOf(state: HeartbeatState): Millis {
  const { pingInterval, timerSlack } = state;
  if (state.is.muted) return state.maxSilence + VERDICT_WAIT + 2 * timerSlack;
  const timeouts = state.deferredTo < NEVER ? BACKLOG_TIMEOUTS : 1;
  return pingInterval + timeouts * timeoutOf(state) + VERDICT_WAIT + 3 * timerSlack;
}
