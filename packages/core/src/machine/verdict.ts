// Theory of operation
//
// The machine keeps three separate clocks. `lastSent`: when the peer and the proxies in between
// last saw traffic from this side. `lastReceived`: when this side last saw traffic from the peer.
// The answer deadline: starts at the oldest ping after which nothing at all was received. Three
// deadlines can make a peer `dead`: this one, the one-way deadline and `maxSilence` (see below).
//
// A ping is due when one of the two directions has been quiet for `pingInterval`. If there was
// traffic in both directions, the ping is skipped. The other end does the same, so one ping and its
// pong serve both ends.
//
//          ping sent                   adaptive deadline    pingTimeout     + VERDICT_WAIT
//   alive ───┬─────────────────────────────┬───────────────────┬────────────────┬───► dead
//            │ deadline set                │ suspect           │ look once more │
//            └── any bytes: deadline cleared, alive ◄──────────┴────────────────┘
//
// At a tick that is more than `timerSlack` late, bytes that have arrived may still be unread,
// because most runtimes run an overdue timer before they read. Such a tick sends another ping with
// a full timeout. After MAX_STALLS such ticks in a row without any input, the verdict counts.
//
// The one-way deadline detects a peer that sends but no longer answers. It starts at the first ping
// without a pong, and anew after a stall, because pongs may be behind unread messages. It applies only
// to a peer that has answered before.
//
// A peer that has never answered may not support heartbeats. There are three cases:
// - It leaves our pings unanswered. Then it is not dead: the machine becomes muted, sends no more
//   pings, and judges the peer by `maxSilence`. A ping or pong from the peer ends that.
// - It sends a Close frame soon after our first ping, without a ping or pong before it. Then it
//   refuses pings, whatever else it sent.
// - It does one of these on two connections in a row. Then the machine of the next connection is
//   muted from the start.
//
// While the application has paused the socket, nothing from the peer is read, so nothing is judged.
// A timer checks whether the pause has ended. After the pause, the peer is pinged again.
//
// Bytes queued ahead of a ping extend its deadline, to at most BACKLOG_TIMEOUTS timeouts: the peer
// cannot answer a ping that has not been sent. A queue that drains does not prove that the peer is
// alive.
//
//   status    open     receive   receivePong   tick: answer overdue        close
//   idle      alive    –         –             –                           –
//   alive     –        alive     alive         suspect at the adaptive     idle
//   suspect   –        alive     alive         dead at pingTimeout         idle
//   dead      –        –         –             –                           idle

import { IS_PAGE } from '../development.ts';
import type { Instant, Millis } from '../time.ts';
import { BACKLOG_TIMEOUTS, judgedAt, pingAt, timeoutOf, VERDICT_WAIT } from './deadlines.ts';
import { type HeartbeatState, NEVER } from './heartbeat-state.ts';
import { drawInterval } from './timing.ts';

/** The number of stalls in a row after which a late verdict counts. */
const MAX_STALLS = 3;
/**
 * A Close frame within this time of the first ping, without a ping or pong before it, is a refusal.
 */
const REFUSAL_WITHIN: Millis = 5_000;

/** Orders a ping. A bare ping unanswered for longer than `lostAfter` ms is given up. */
export function sendPing(
  state: HeartbeatState,
  asked: boolean,
  id?: string,
  lostAfter: Millis = timeoutOf(state),
): void {
  const { is, pings } = state;
  const sampled = !is.backlogged && (IS_PAGE || !is.paused); // else latency includes waiting on this side
  const ping = pings.add(state.exactNow, sampled, asked, lostAfter, id);
  notePing(state);
  state.interval = drawInterval(state.timing, state.pingInterval);
  state.actions.push({ type: 'ping', seq: ping.seq, id: ping.id, first: ping.seq === 1 });
}

/** Sends the ping that is due, unless that is in vain. */
export function sendScheduledPing(state: HeartbeatState): void {
  const { is, pings, now } = state;
  const isOwed = pings.oldest !== undefined;
  const isInVain = isOwed && pings.sent > 1 && now - pings.owedSince > timeoutOf(state);
  // The peer sends data, but has answered neither the first ping nor the bare ping after it.
  if (isInVain && mayNotAnswer(state)) return mute(state);
  // No further ping is put into a buffer that does not drain: the unanswered one is on its way.
  if (isOwed && is.backlogged) notePing(state);
  else sendPing(state, false);
}

/** Records that a ping is on its way, and begins to wait for an answer. */
function notePing(state: HeartbeatState): void {
  state.lastSent = state.lastPing = state.now;
  state.probeAt = NEVER;
  if (!state.is.muted && state.silentSince === undefined) beginSilence(state, state.now);
}

/** Sets the deadlines of the answer to a ping that was sent at `since`. */
export function beginSilence(state: HeartbeatState, since: Instant): void {
  const { timing, suspicion, rtt } = state;
  const timeout = timeoutOf(state);
  state.silentSince = since;
  state.suspectAt = since + suspicion.wait(rtt, timing.suspectAfter, timeout, since);
  state.timeoutAt = since + timeout;
  if (state.is.backlogged) state.deferredTo = since + BACKLOG_TIMEOUTS * timeout;
}

/** Clears the deadlines of the answer, because something was received. */
export function endSilence(state: HeartbeatState, since: Instant): void {
  const { is } = state;
  if (state.lastReceived < since) state.lastReceived = since; // receive() got a time before the ping
  state.endSilence();
  state.stalls = 0;
  // A suspect that has never answered may not understand the first ping.
  if (is.suspect && is.peerAnswers) state.suspicion.wasFalse(state.lastReceived);
  is.suspect = false;
}

/**
 * Clears the deadlines of the answer, and sends a ping with a full timeout. A muted machine sends none, and
 * waits one timeout for input not read yet: a runtime that inflates messages can take a second after
 * a stall.
 */
export function askAfresh(state: HeartbeatState): void {
  const { is, now } = state;
  state.endSilence();
  state.afreshAt = now;
  state.verdictAt = is.muted ? now + timeoutOf(state) : NEVER;
  state.pings.distrust();
  if (!is.muted) sendPing(state, true, undefined, NEVER); // gives up none: pongs may be unread
}

/**
 * Handles a tick while the socket is paused: no verdict, but a due ping is sent, to keep proxies from
 * closing the connection.
 */
export function pause(state: HeartbeatState): void {
  state.afreshAt = state.now;
  state.pings.distrust();
  if (state.now >= pingAt(state) && !state.is.backlogged) sendPing(state, false);
}

/** A tick is late because this side did not run. */
export function handleStall(state: HeartbeatState, lateBy: Millis): void {
  state.actions.push({ type: 'stall', lateBy });
  if (state.silentSince !== undefined || state.now >= judgedAt(state)) {
    if (state.stalls === MAX_STALLS) return judge(state, true);
    state.stalls += 1;
  }
  askAfresh(state);
}

/** Decides whether the peer is suspect or dead. */
export function judge(state: HeartbeatState, isStalled = false): void {
  const { is, now } = state;
  if (state.deferredTo < NEVER && now >= state.timeoutAt) defer(state);
  if (now < judgedAt(state))
    state.verdictAt = NEVER; // input has arrived
  else if (state.verdictAt < NEVER ? now >= state.verdictAt : isStalled) return giveUp(state);
  else if (state.verdictAt === NEVER) state.verdictAt = now + VERDICT_WAIT;
  if (now < state.suspectAt) return;
  is.suspect = true;
  state.suspectAt = NEVER;
  // The first ping carries an id. A peer may answer only bare pings, so one is sent here.
  if (!is.peerAnswers && !state.pings.has() && !is.backlogged) sendPing(state, false);
}

/**
 * Restarts the timeout, because the ping may still be queued or may have only just been sent. The
 * total is limited: a queue that drains does not prove that the peer is alive.
 */
function defer(state: HeartbeatState): void {
  const { is, now, deferredTo } = state;
  state.timeoutAt = Math.min(now + timeoutOf(state), deferredTo);
  if (!is.backlogged || now >= deferredTo) state.deferredTo = NEVER;
}

function giveUp(state: HeartbeatState): void {
  const { is, now, memory, silentFor } = state;
  if (!is.muted && mayNotAnswer(state)) return mute(state);
  const pingTimeout = timeoutOf(state);
  const isTimeout = now >= state.timeoutAt;
  const reason = is.muted ? 'max-silence' : isTimeout ? 'ping-timeout' : 'one-way';
  // If the connection is muted, `mute` has recorded its end already.
  if (!is.muted) memory?.ended(isTimeout, is.peerAnswers === true);
  state.reset({ dead: true });
  state.actions.push({ type: 'timeout', reason, silentFor, pingTimeout });
}

/**
 * Whether the peer may not answer pings: no beats here, and none expected from its past.
 */
function mayNotAnswer({ is, memory }: HeartbeatState): boolean {
  return !is.peerAnswers && !is.peerPings && memory?.forgives === true;
}

/**
 * Whether a Close frame now would be a refusal of the first ping, whatever else the peer sent.
 */
export function isRefusal(state: HeartbeatState): boolean {
  const first = state.pings.oldest; // the first ping, until a pong comes
  if (first?.seq !== 1 || state.is.muted || !mayNotAnswer(state)) return false;
  return state.now - first.sentAt <= REFUSAL_WITHIN;
}

function mute(state: HeartbeatState): void {
  const { is, silentFor } = state;
  state.memory?.ended(false, false);
  state.forgetPings();
  is.suspect = false;
  is.muted = true;
  state.actions.push({ type: 'unanswered', silentFor, reason: 'silent' });
  if (state.now >= judgedAt(state)) giveUp(state); // `maxSilence` has already passed
}
