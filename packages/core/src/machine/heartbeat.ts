// Rule 1: when to ping and when a peer is dead is decided here and in the files beside: when in
//         deadlines.ts, what follows in verdict.ts, the ids of pings in outstanding-pings.ts.
// Rule 2: none of them knows its side (client or server), sockets, or the time: callers pass `now`.
// Rule 3: the same options and inputs give the same outputs.
// Rule 4: an early or repeated `tick` does nothing. A late `tick` (the process was frozen, the loop
//         was blocked) says nothing about the peer, so the peer is pinged before it is judged.
//
// Theory of operation: see verdict.ts.

import { IS_PAGE } from '../development.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../options.ts';
import type { Instant, Millis } from '../time.ts';
import type { Answer, HeartbeatAction, HeartbeatStatus } from './actions.ts';
import { deadlineOf, detectionBoundOf, pingAt, timeoutOf } from './deadlines.ts';
import { HeartbeatState, NEVER } from './heartbeat-state.ts';
import type { PeerMemory } from './peer-memory.ts';
import {
  type AdvertisedTiming,
  drawInterval,
  initialTiming,
  limited,
  MAX_ADVERTISED_INTERVAL,
  MAX_ADVERTISED_TIMEOUT,
  type PeerState,
  type Timing,
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
 * still. Only the constructor throws. Its fields are what it knows: read them, and change only
 * `timerSlack` and `maxSilence`.
 */
export class Heartbeat extends HeartbeatState {
  /**
   * Takes options, or a {@link Timing}, which is shared and not copied. Without a `memory` the peer
   * must answer every ping, as every WebSocket must answer a protocol Ping (RFC 6455 §5.5.2).
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   */
  constructor(options: HeartbeatOptions | Timing = {}, memory?: PeerMemory) {
    const isTiming = IS_PAGE || 'timerSlack' in options;
    const timing = isTiming ? (options as Timing) : initialTiming(resolveHeartbeatOptions(options));
    super(timing, memory);
  }

  // Inputs.

  /**
   * Starts the heartbeat of a connection whose handshake has just completed. If `asks` is false, no
   * pings are sent, because the subprotocol has no place for them.
   */
  open(now: Instant, asks = true): readonly HeartbeatAction[] {
    const { memory } = this;
    const muted = !asks || memory?.speaks === false;
    this.reset({ open: true, muted });
    this.advance(now);
    this.lastSent = this.lastReceived = this.lastPing = this.now;
    this.interval = drawInterval(this.timing, this.pingInterval);
    if (!muted) return NOTHING;
    // Ordered at once, so that the application knows that this connection has no heartbeat.
    const reason = !asks ? 'foreign-protocol' : memory?.refuses ? 'refused' : 'silent';
    return [{ type: 'unanswered', silentFor: 0, reason }];
  }

  /**
   * Records that data came from the peer, so it is alive. A hot path: neither allocates nor throws.
   */
  receive(now: Instant): void {
    if (now > this.lastReceived && now < NEVER) this.lastReceived = Math.floor(now);
    this.probeAt = NEVER;
    if (this.silentSince !== undefined) verdict.endSilence(this, this.silentSince);
  }

  /**
   * Records that the application is about to send a message. Pings and pongs that the machine
   * orders are recorded automatically. If nothing was received for `probeAfter`, returns a ping to
   * send before the message. Otherwise schedules a ping at half of `probeAfter` from now, because
   * the link may be dead all the same; data received before then cancels it.
   */
  sent(now: Instant): readonly HeartbeatAction[] {
    const { is } = this;
    if (!Number.isFinite(now)) return NOTHING; // not a valid time
    this.advance(now);
    this.lastSent = this.now;
    if (!is.open || is.suspended || is.muted) return NOTHING;
    if (this.silentSince !== undefined) return NOTHING; // a ping is on its way
    if (this.stallAt(this.now) > 0) return NOTHING; // the overdue tick sends a ping
    const wait = this.isSilentTo(this.now) ? 0 : this.timing.probeAfter / 2;
    const at = Math.max(this.now + wait, this.lastPing + PROBE_GAP);
    if (at <= this.now) return this.ping(now);
    if (!this.isToProbe) this.probeAt = Math.ceil(at);
    return NOTHING;
  }

  /** Records how many bytes the socket has not sent yet. Call it before {@link tick} and pings. */
  buffered(bytes: number): void {
    this.is.backlogged = bytes > 0;
  }

  /** Records a ping from the peer; returns the pong to send, with the same id. */
  receivePing(now: Instant, id?: string): readonly HeartbeatAction[] {
    if (!this.#receiveBeat(now)) return NOTHING;
    this.is.peerPings = true;
    this.lastSent = this.now;
    return [{ type: 'pong', id }];
  }

  /**
   * Records a pong from the peer; returns what it answers. A pong answers the ping with its id and
   * all pings before it, because messages stay in order. A bare pong answers the oldest bare ping.
   * An unsolicited pong only shows that the peer is alive; the result is undefined.
   */
  receivePong(now: Instant, id?: string): Answer | undefined {
    const ping = this.#receiveBeat(now) ? this.pings.answer(id, this.now) : undefined;
    if (ping === undefined) return undefined;
    if (!this.pings.oldest) this.verdictAt = NEVER;
    this.is.peerAnswers = true;
    const { seq, sentAt, sampled } = ping;
    const latency = Math.round(Math.max(0, this.exactNow - sentAt) * 1_000) / 1_000; // to the µs
    if (sampled) this.rtt.sample(latency);
    this.memory?.answered(latency <= this.baseTimeout);
    return { seq, id, latency, sampled };
  }

  /** Applies the timing that the peer advertised in the ping or pong just received. */
  adopt(advertised: AdvertisedTiming): void {
    const { pingInterval, baseTimeout, askedInterval, askedTimeout } = this;
    this.is.peerPings = true;
    this.askedInterval = limited(advertised.pingInterval, MAX_ADVERTISED_INTERVAL, askedInterval);
    this.askedTimeout = limited(advertised.pingTimeout, MAX_ADVERTISED_TIMEOUT, askedTimeout);
    this.retime();
    if (pingInterval !== this.pingInterval || baseTimeout !== this.baseTimeout) this.startPeriod();
  }

  /** Applies the page state that the peer just sent: a hidden or frozen page gets more time. */
  setPeerState(peerState: PeerState): void {
    if (this.peerState === peerState) return;
    this.peerState = peerState;
    this.startPeriod();
  }

  /** Changes the timing of this side from the next period on. What the peer advertised applies. */
  rebase(timing: Timing): void {
    this.timing = timing;
    this.retime();
  }

  /**
   * Handles what is due at `now`. Does nothing before {@link deadline}. While `isPaused` is true,
   * nothing is read, so the peer is not judged; after the pause it is pinged again.
   */
  tick(now: Instant, isPaused = false): readonly HeartbeatAction[] {
    const { is } = this;
    this.advance(now);
    const lateBy = this.now - this.deadline; // -Infinity if there is no deadline
    if (lateBy < 0) return NOTHING;
    const wasPaused = !IS_PAGE && is.paused;
    if (!IS_PAGE) is.paused = isPaused;
    if (!IS_PAGE && isPaused) verdict.pause(this);
    else if (wasPaused) verdict.askAfresh(this);
    else if (lateBy > this.timerSlack) verdict.handleStall(this, lateBy);
    else verdict.judge(this);
    if ((IS_PAGE || !isPaused) && this.is.open && this.now >= pingAt(this))
      verdict.sendScheduledPing(this);
    return this.takeActions();
  }

  /** Pings now, regardless of the schedule, with `id` if it is given. */
  ping(now: Instant, id?: string): readonly HeartbeatAction[] {
    this.advance(now);
    if (this.is.open) verdict.sendPing(this, true, id);
    return this.takeActions();
  }

  /**
   * Pings now because of a hint: the page became visible again, or the network changed. If nothing
   * is received within `shortTimeout` ms, the peer is `suspect`; it is `dead` at `pingTimeout`, not
   * earlier. An outstanding ping younger than `shortTimeout` is used instead of a new one.
   */
  probe(now: Instant, shortTimeout: Millis): readonly HeartbeatAction[] {
    this.advance(now);
    if (!this.is.open || this.is.muted) return NOTHING;
    const isAsked = this.silentSince !== undefined && this.now - this.lastPing < shortTimeout;
    if (!isAsked) verdict.sendPing(this, true);
    if (shortTimeout > 0) this.suspectAt = Math.min(this.suspectAt, this.now + shortTimeout);
    return this.takeActions();
  }

  /** Stops all deadlines until {@link resume}, because this side is about to stop running. */
  suspend(now: Instant): void {
    this.advance(now);
    this.is.suspended = true;
    this.pings.distrust(); // their latency will include the time of the suspension
  }

  /**
   * Ends {@link suspend}. The time of the suspension does not count, so the peer is pinged again.
   */
  resume(now: Instant): readonly HeartbeatAction[] {
    const { is } = this;
    this.advance(now);
    if (is.suspended && is.open) verdict.askAfresh(this);
    is.suspended = false;
    return this.takeActions();
  }

  /**
   * Ends the heartbeat of a connection. Pass `byPeer` if the peer sent a Close frame and this side
   * had not sent one. From here on, every input except {@link open} is ignored. Returns whether the
   * peer apparently closed because of the first ping.
   */
  close(now: Instant, byPeer = false): boolean {
    this.advance(now);
    const isRefusal = byPeer && verdict.isRefusal(this);
    if (isRefusal) this.memory?.closedAfterFirstPing();
    this.reset();
    return isRefusal;
  }

  /** Records a latency, in ms, that was measured elsewhere. */
  sample(latency: Millis): void {
    this.rtt.sample(latency);
  }

  // Outputs.

  get status(): HeartbeatStatus {
    const { suspect, open, dead } = this.is;
    return suspect ? 'suspect' : open ? 'alive' : dead ? 'dead' : 'idle';
  }

  /** When {@link tick} must be called next; `Infinity` if nothing is due. */
  get deadline(): Instant {
    return deadlineOf(this);
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, with the timing in force and
   * while this process runs. `Infinity` if pings or their timeout are off.
   */
  get detectionBound(): Millis {
    return detectionBoundOf(this);
  }

  /** The last measured latency in ms; undefined until the first pong. */
  get latency(): Millis | undefined {
    const { latest } = this.rtt;
    return latest < 0 ? undefined : latest / 1_000;
  }

  /**
   * The timeout in force, in ms: from the options or advertised by the peer; longer after timeouts
   * in a row and for a hidden page.
   */
  get pingTimeout(): Millis {
    return timeoutOf(this);
  }

  /** Whether no pings are sent, because the peer does not answer them. */
  get isMuted(): boolean {
    return this.is.muted === true;
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
    return now - this.lastReceived >= this.timing.probeAfter;
  }

  /** Whether a message has scheduled a ping, so that the deadline may be earlier. */
  get isToProbe(): boolean {
    return this.probeAt < NEVER;
  }

  /** Whether a ping with this id is unanswered. No other ping may use the id until then. */
  isOutstanding(id: string): boolean {
    return this.pings.has(id);
  }

  /**
   * Records a ping or pong, which ends a mute. If it was read before an overdue tick, it may have
   * waited, and the tick is void. Returns false if the connection is not open.
   */
  #receiveBeat(now: Instant): boolean {
    this.advance(now);
    if (!this.is.open) return false;
    if (this.stallAt(this.now) > 0) {
      this.pings.distrust();
      this.afreshAt = this.now;
    }
    this.receive(now);
    if (this.is.muted) {
      this.memory?.answered(false);
      this.is.muted = false;
      this.afreshAt = this.now;
      this.verdictAt = NEVER; // it belonged to `maxSilence`
    }
    return true;
  }
}
