// Rule 1: this file makes every decision about when to ping and when a peer is dead.
// Rule 2: it does not know its side (client or server), sockets, or the time: callers pass `now`.
// Rule 3: the same options and inputs give the same outputs.
// Rule 4: an early or repeated `tick` does nothing. A late `tick` (the process was frozen, the loop
//         was blocked) says nothing about the peer, so the peer is pinged before it is judged.
//
// Theory of operation: see verdict.ts.

import { type HeartbeatOptions, resolveHeartbeatOptions } from '../options.ts';
import type { Instant, Millis } from '../time.ts';
import type { Answer, HeartbeatAction, HeartbeatStatus } from './actions.ts';
import { deadlineOf, detectionBoundOf, pingAt, timeoutOf } from './deadlines.ts';
import { HeartbeatState, NEVER } from './heartbeat-state.ts';
import type { PeerMemory } from './peer-memory.ts';
import {
  type AdvertisedTiming,
  adoptTiming,
  drawInterval,
  initialTiming,
  type PeerState,
  type Timing,
  timingInForce,
} from './timing.ts';
import * as verdict from './verdict.ts';

/** The minimum time before a ping that a message causes: at most ten of them in nine seconds. */
const PROBE_GAP: Millis = 900;

const NOTHING: readonly HeartbeatAction[] = [];

/**
 * Decides when to ping and when a peer is dead, and measures latency. The comment at the top of
 * verdict.ts explains how.
 *
 * All durations and instants are in ms. Instants may have fractions. They are stored as whole ms;
 * latency is measured before rounding. If `now` runs backwards or is not a number, time stands
 * still. Only the constructor throws.
 */
export class Heartbeat {
  /** What it knows. Read it only to store a connection elsewhere: the outputs below are for you. */
  readonly state: HeartbeatState;

  /**
   * Takes options, or a {@link Timing}, which is shared and not copied. Without a `memory` the peer
   * must answer every ping, as every WebSocket must answer a protocol Ping (RFC 6455 §5.5.2).
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   */
  constructor(options: HeartbeatOptions | Timing = {}, memory?: PeerMemory) {
    const isTiming = 'options' in options;
    const timing = isTiming ? options : initialTiming(resolveHeartbeatOptions(options));
    this.state = new HeartbeatState(timing, memory);
  }

  // Inputs.

  /**
   * Starts the heartbeat of a connection whose handshake has just completed. If `asks` is false, no
   * pings are sent, because the subprotocol has no place for them.
   */
  open(now: Instant, asks = true): void {
    const { state } = this;
    state.reset({ open: true, muted: !asks || state.memory?.speaks === false });
    state.advance(now);
    state.lastSent = state.lastReceived = state.lastPing = state.now;
    state.interval = drawInterval(state.timing);
  }

  /**
   * Records that data came from the peer, so it is alive. A hot path: neither allocates nor throws.
   */
  receive(now: Instant): void {
    const { state } = this;
    if (now > state.lastReceived && now < NEVER) state.lastReceived = Math.floor(now);
    state.probeAt = NEVER;
    if (state.silence !== undefined) verdict.endSilence(state, state.silence.since);
  }

  /**
   * Records that the application is about to send a message. Pings and pongs that the machine
   * orders are recorded automatically. If nothing was received for `probeAfter`, returns a ping to
   * send before the message. Otherwise schedules a ping at half of `probeAfter` from now, because
   * the link may be dead all the same; data received before then cancels it.
   */
  sent(now: Instant): readonly HeartbeatAction[] {
    const { state } = this;
    const { is } = state;
    if (!Number.isFinite(now)) return NOTHING; // not a valid time
    if (now > state.lastSent) state.lastSent = Math.floor(now);
    if (!is.open || is.suspended || is.muted || state.silence) return NOTHING;
    if (this.stallAt(now) > 0) return NOTHING; // the overdue tick sends a ping
    const wait = this.isSilentTo(now) ? 0 : state.timing.options.probeAfter / 2;
    const at = Math.max(now + wait, state.lastPing + PROBE_GAP);
    if (at <= now) return this.ping(now);
    if (!this.isToProbe) state.probeAt = Math.ceil(at);
    return NOTHING;
  }

  /** Records how many bytes the socket has not sent yet. Call it before {@link tick} and pings. */
  buffered(bytes: number): void {
    this.state.is.backlogged = bytes > 0;
  }

  /** Records a ping from the peer; returns the pong to send, with the same id. */
  receivePing(now: Instant, id?: string): readonly HeartbeatAction[] {
    const { state } = this;
    if (!this.#receiveBeat(now)) return NOTHING;
    state.is.peerPings = true;
    state.lastSent = state.now;
    return [{ type: 'pong', id }];
  }

  /**
   * Records a pong from the peer; returns what it answers. A pong answers the ping with its id and
   * all pings before it, because messages stay in order. A bare pong answers the oldest bare ping.
   * An unsolicited pong only shows that the peer is alive; the result is undefined.
   */
  receivePong(now: Instant, id?: string): Answer | undefined {
    const { state } = this;
    const ping = this.#receiveBeat(now) ? state.pings.answer(id, state.now) : undefined;
    if (ping === undefined) return undefined;
    if (!state.pings.oldest) state.verdictAt = NEVER;
    state.is.peerAnswers = true;
    const { seq, sentAt, sampled } = ping;
    const latency = Math.round(Math.max(0, state.exactNow - sentAt) * 1_000) / 1_000; // to the µs
    if (sampled) state.rtt.sample(latency);
    state.memory?.answered(latency <= state.timing.pingTimeout);
    return { seq, id, latency, sampled };
  }

  /** Applies the timing that the peer advertised in the ping or pong just received. */
  adopt(advertised: AdvertisedTiming): void {
    this.state.is.peerPings = true;
    this.state.retime(adoptTiming(this.state.timing, advertised));
  }

  /** Applies the page state that the peer just sent: a hidden or frozen page gets more time. */
  setPeerState(peerState: PeerState): void {
    const { state } = this;
    state.retime(timingInForce(state.base, state.timing.advertised, peerState));
  }

  /** Changes the timing of this side from the next period on. What the peer advertised applies. */
  rebase(base: Timing): void {
    const { advertised, peerState } = this.state.timing;
    this.state.timing = timingInForce(base, advertised, peerState);
  }

  /**
   * Handles what is due at `now`. Does nothing before {@link deadline}. While `isPaused` is true,
   * nothing is read, so the peer is not judged; after the pause it is pinged again.
   */
  tick(now: Instant, isPaused = false): readonly HeartbeatAction[] {
    const { state } = this;
    const { is } = state;
    state.advance(now);
    const lateBy = state.now - this.deadline; // -Infinity if there is no deadline
    if (lateBy < 0) return NOTHING;
    const wasPaused = is.paused;
    is.paused = isPaused;
    if (isPaused) verdict.pause(state);
    else if (wasPaused) verdict.askAfresh(state);
    else if (lateBy > this.timerSlack) verdict.handleStall(state, lateBy);
    else verdict.judge(state);
    if (!isPaused && state.is.open && state.now >= pingAt(state)) verdict.sendScheduledPing(state);
    return state.takeActions();
  }

  /** Pings now, regardless of the schedule, with `id` if it is given. */
  ping(now: Instant, id?: string): readonly HeartbeatAction[] {
    const { state } = this;
    state.advance(now);
    if (state.is.open) verdict.sendPing(state, true, id);
    return state.takeActions();
  }

  /**
   * Pings now because of a hint: the page became visible again, or the network changed. If nothing
   * is received within `shortTimeout` ms, the peer is `suspect`; it is `dead` at `pingTimeout`, not
   * earlier. An outstanding ping younger than `shortTimeout` is used instead of a new one.
   */
  probe(now: Instant, shortTimeout: Millis): readonly HeartbeatAction[] {
    const { state } = this;
    state.advance(now);
    if (!state.is.open || state.is.muted) return NOTHING;
    const isAsked = state.silence && state.now - state.lastPing < shortTimeout;
    if (!isAsked) verdict.sendPing(state, true);
    if (shortTimeout > 0) state.silence?.hurry(state.now + shortTimeout);
    return state.takeActions();
  }

  /** Stops all deadlines until {@link resume}, because this side is about to stop running. */
  suspend(now: Instant): void {
    this.state.advance(now);
    this.state.is.suspended = true;
    this.state.pings.distrust(); // their latency will include the time of the suspension
  }

  /**
   * Ends {@link suspend}. The time of the suspension does not count, so the peer is pinged again.
   */
  resume(now: Instant): readonly HeartbeatAction[] {
    const { state } = this;
    const { is } = state;
    state.advance(now);
    if (is.suspended && is.open) verdict.askAfresh(state);
    is.suspended = false;
    return state.takeActions();
  }

  /**
   * Ends the heartbeat of a connection. Pass `byPeer` if the peer sent a Close frame and this side
   * had not sent one. From here on, every input except {@link open} is ignored. Returns whether the
   * peer apparently closed because of the first ping.
   */
  close(now: Instant, byPeer = false): boolean {
    const { state } = this;
    state.advance(now);
    const isRefusal = byPeer && verdict.isRefusal(state);
    if (isRefusal) state.memory?.closedAfterFirstPing();
    state.reset();
    return isRefusal;
  }

  /** Records a latency, in ms, that was measured elsewhere. */
  sample(latency: Millis): void {
    this.state.rtt.sample(latency);
  }

  // Outputs.

  get status(): HeartbeatStatus {
    const { suspect, open, dead } = this.state.is;
    return suspect ? 'suspect' : open ? 'alive' : dead ? 'dead' : 'idle';
  }

  /** When {@link tick} must be called next; `Infinity` if nothing is due. */
  get deadline(): Instant {
    return deadlineOf(this.state);
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, with the timing in force and
   * while this process runs. `Infinity` if pings or their timeout are off.
   */
  get detectionBound(): Millis {
    return detectionBoundOf(this.state);
  }

  /** The last measured latency in ms; undefined until the first pong. */
  get latency(): Millis | undefined {
    const { latest } = this.state.rtt;
    return latest < 0 ? undefined : latest / 1_000;
  }

  get lastSent(): Instant {
    return this.state.lastSent;
  }

  get lastReceived(): Instant {
    return this.state.lastReceived;
  }

  /**
   * The timeout in force, in ms: from the options or advertised by the peer; longer after timeouts
   * in a row and for a hidden page.
   */
  get pingTimeout(): Millis {
    return timeoutOf(this.state);
  }

  /** The interval in force, in ms: from the options or advertised by the peer. */
  get pingInterval(): Millis {
    return this.state.timing.pingInterval;
  }

  /** Whether no pings are sent, because the peer does not answer them. */
  get isMuted(): boolean {
    return this.state.is.muted === true;
  }

  /** Whether no pings are sent because the peer closed connections right after the first ping. */
  get isRefused(): boolean {
    return this.isMuted && this.state.memory?.refuses === true;
  }

  /**
   * How late a {@link tick} at `now` would be, in ms, if that is late enough for a stall; else 0.
   */
  stallAt(now: Instant): Millis {
    const lateBy = now - this.deadline; // -Infinity if there is no deadline
    return lateBy > this.timerSlack ? lateBy : 0;
  }

  /** Whether nothing was received for `probeAfter`, so that sending a message causes a ping. */
  isSilentTo(now: Instant): boolean {
    return now - this.lastReceived >= this.state.timing.options.probeAfter;
  }

  /** Whether a message has scheduled a ping, so that the deadline may be earlier. */
  get isToProbe(): boolean {
    return this.state.probeAt < NEVER;
  }

  /** Whether a ping with this id is unanswered. No other ping may use the id until then. */
  isOutstanding(id: string): boolean {
    return this.state.pings.has(id);
  }

  /** How late a timer may be, in ms, before it is a stall; more in a hidden page. */
  get timerSlack(): Millis {
    return this.state.timing.timerSlack;
  }

  set timerSlack(timerSlack: Millis) {
    this.rebase({ ...this.state.base, timerSlack });
  }

  /** How long a peer without pings may be silent, in ms; `Infinity` for no limit. */
  get maxSilence(): Millis {
    return this.state.timing.options.maxSilence;
  }

  set maxSilence(maxSilence: Millis) {
    const { base } = this.state;
    this.rebase({ ...base, options: { ...base.options, maxSilence } });
  }

  /**
   * Records a ping or pong, which ends a mute. If it was read before an overdue tick, it may have
   * waited, and the tick is void. Returns false if the connection is not open.
   */
  #receiveBeat(now: Instant): boolean {
    const { state } = this;
    state.advance(now);
    if (!state.is.open) return false;
    if (this.stallAt(state.now) > 0) {
      state.pings.distrust();
      state.afreshAt = state.now;
    }
    this.receive(now);
    if (state.is.muted) {
      state.memory?.answered(false);
      state.is.muted = false;
      state.afreshAt = state.now;
      state.verdictAt = NEVER; // it belonged to `maxSilence`
    }
    return true;
  }
}
