// Rule 1: this file makes every decision about when to ping and when a peer is dead.
// Rule 2: it does not know its side (client or server), sockets, or the time: callers pass `now`.
// Rule 3: the same options and inputs give the same outputs.
// Rule 4: an early or repeated `tick` does nothing. A late `tick` (the process was frozen, the loop
//         was blocked) says nothing about the peer, so the peer is pinged before it is judged.
//
// Theory of operation
//
// The machine keeps three separate clocks. `lastSent`: when the peer and the proxies in between
// last saw traffic from this side. `lastReceived`: when this side last saw traffic from the peer.
// The answer deadline: starts at the oldest ping since which nothing at all was received. It makes
// a peer `dead`, as do the one-way deadline and `maxSilence` (see below), and nothing else does.
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
// without a pong, and applies only to a peer that has answered before.
//
// A peer that has never answered may not support heartbeats. If it leaves our pings unanswered, it
// is not dead: the machine becomes muted, sends no more pings, and judges the peer by `maxSilence`.
// A ping or pong from the peer ends that. A peer that sends a Close frame soon after our first
// ping, without a ping or pong before it, refuses pings, whatever else it sent: after two such
// connections in a row the machine is muted from the start.
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

import { type HeartbeatOptions, resolveHeartbeatOptions } from '../options.ts';
import type { Instant, Millis } from '../time.ts';
import type { Answer, HeartbeatAction, HeartbeatStatus, TimeoutReason } from './actions.ts';
import { AnswerDeadline, BACKLOG_TIMEOUTS } from './answer-deadline.ts';
import { type OutstandingPing, OutstandingPings } from './outstanding-pings.ts';
import type { PeerMemory } from './peer-memory.ts';
import {
  ASKED,
  COUNT,
  FLAGS,
  LATEST,
  LOST,
  MICROS,
  MICROS_BITS,
  PERIOD,
  PINGED,
  RECEIVED,
  SENT,
  SILENT,
} from './row.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { Suspicion } from './suspicion.ts';
import {
  type AdvertisedTiming,
  adoptTiming,
  answerTimeout,
  drawInterval,
  initialTiming,
  type PeerState,
  type Timing,
  timingInForce,
} from './timing.ts';

/** How long a verdict waits for unread input: queued pongs arrive up to 100 ms after a timer. */
export const VERDICT_WAIT: Millis = 250;
/** The number of stalls in a row after which a late verdict counts. */
const MAX_STALLS = 3;
/** How many pings in a row may be skipped, if the peer may not expect skipped pings. */
export const MAX_SKIPS = 3;
/** The minimum time before a ping that a message causes: at most ten of them in nine seconds. */
const PROBE_GAP: Millis = 900;
/** A peer that sends is `one-way` after it has answered no ping for this many periods. */
const ONE_WAY_PERIODS = 3;
/**
 * A Close frame within this time of the first ping, without a ping or pong before it, is a refusal.
 */
const REFUSAL_WITHIN: Millis = 5_000;
/** How often to check whether a paused socket is still paused. */
const PAUSE_LOOK: Millis = 1_000;

// The state of the connection as bits of one number: separate fields would take eight bytes each.
const SUSPENDED = 1; // `suspend` was called, and `resume` was not
export const PEER_PINGS = 2; // the peer has sent a ping, so it expects skipped pings
export const PEER_ANSWERS = 4; // the peer has answered a ping, so it must go on answering
const MUTED = 8; // no pings are sent, because the peer does not answer them
const BACKLOGGED = 16; // the socket has unsent bytes, as of the last call of `buffered`
const KNOWS_IDS = 32; // the peer has answered a ping with an id
const KNOWS_NO_IDS = 64; // the peer ignored the first ping, and answered the bare ping after it
const OPEN = 128;
const SUSPECT = 256; // OPEN is set too
const DEAD = 512;
const PAUSED = 1_024; // the application had paused the socket at the last check
/** The flags of a connection that is well, apart from OPEN. */
const WELL = PEER_PINGS | PEER_ANSWERS | KNOWS_IDS | KNOWS_NO_IDS;
const STALL = 2_048; // this bit and all higher ones: the number of stalls in a row

const NEVER: Instant = Number.POSITIVE_INFINITY;
const NONE: Instant = -1; // a small integer, which takes less memory than Infinity
const NOTHING: readonly HeartbeatAction[] = Object.freeze([]);

/**
 * Decides when to ping and when a peer is dead, and measures latency. The comment at the top of
 * this file explains how.
 *
 * All durations and instants are in ms. Instants may have fractions. They are stored as whole ms to
 * save memory; latency is measured before rounding. If `now` runs backwards or is not a number,
 * time stands still. Only the constructor throws.
 *
 * A server has one machine per connection, so memory matters. The class extends the estimator
 * because a separate estimator object would take 32 bytes more, and it creates the objects about
 * outstanding pings only while there are any.
 */
export class Heartbeat extends RttEstimator {
  /** The exact time of the current input, with its fraction. Static: not kept between inputs. */
  static #present: Instant = 0;
  readonly #memory: PeerMemory | undefined;
  #timing: Timing;
  #interval: Millis = 0; // the length of this period: pingInterval minus jitter

  #now: Instant = 0;
  #lastSent: Instant = 0;
  #lastReceived: Instant = 0;
  #lastPing: Instant = 0; // before the first ping: when the connection opened
  #silence: AnswerDeadline | undefined;
  #afreshAt: Instant = 0; // the last stall or change of timing: nothing counts as due before it
  #verdictAt: Instant = NONE; // the end of VERDICT_WAIT, while it runs
  #probeAt: Instant = NONE; // when to ping because a message was sent and nothing was received

  #outstanding: OutstandingPings | undefined; // undefined while there are none
  #sent = 0; // pings sent
  #lost = 0; // pings given up, or without a pong when a later ping was answered
  #suspicion: Suspicion | undefined; // undefined until the first false suspicion
  #flags = 0;

  /**
   * Takes options, or a {@link Timing}, which is shared and not copied. Without a `memory` the peer
   * must answer every ping, as every WebSocket must answer a protocol Ping (RFC 6455 §5.5.2).
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   */
  constructor(options: HeartbeatOptions | Timing = {}, memory?: PeerMemory) {
    super();
    this.#timing = 'options' in options ? options : initialTiming(resolveHeartbeatOptions(options));
    this.#memory = memory;
  }

  // A row of a `ConnectionTable`, which holds a connection that is well.

  /**
   * Writes its state into the row that begins at `at`. Returns whether a row can hold it: the peer is
   * alive, no ping is unanswered, nothing else is pending, and the timing is that of the table.
   */
  freeze(words: Int32Array, at: number, origin: Instant, timing: Timing): boolean {
    const isWell = (this.#flags & ~WELL) === OPEN && this.#timing === timing;
    const isAtRest = this.#outstanding === undefined && this.#silence === undefined;
    const isDueAfresh = this.#probeAt !== NONE || this.#afreshAt > this.#quietAt;
    if (!isWell || !isAtRest || isDueAfresh || this.#memory !== undefined) return false;
    if (this.#suspicion?.isRaisedAt(this.#now) || !Number.isInteger(this.#interval)) return false;
    const row = [
      this.#flags,
      this.#lastSent - origin,
      this.#lastReceived - origin,
      this.#lastPing - origin,
      this.#interval * (MICROS + 1),
      this.#sent,
      this.#lost,
    ];
    words.set(row, at);
    this.save(words, at + LATEST);
    return row.every((value, word) => words[at + word] === value); // whole numbers of 32 bits
  }

  /** Takes over the state of the row that begins at `at`. */
  thaw(words: Int32Array, at: number, origin: Instant, now: Instant): this {
    const word = (index: number) => words[at + index] as number;
    const flags = word(FLAGS);
    const pingedAt = origin + word(PINGED);
    this.#now = Math.floor(now);
    this.#flags = flags & (WELL | OPEN);
    this.#lastSent = origin + word(SENT);
    this.#lastReceived = origin + word(RECEIVED);
    this.#lastPing = pingedAt;
    this.#interval = word(PERIOD) >> MICROS_BITS;
    this.#sent = word(COUNT);
    this.#lost = word(LOST);
    this.load(words, at + LATEST);
    if ((flags & ASKED) === 0) return this;
    const sentAt = pingedAt + (word(PERIOD) & MICROS) / 1_000;
    const ping = { seq: this.#sent, id: undefined, sentAt, sampled: true };
    this.#outstanding = new OutstandingPings(ping);
    if ((flags & SILENT) !== 0) this.#silence = this.#beginSilence(pingedAt);
    return this;
  }

  // Inputs.

  /**
   * Starts the heartbeat of a connection whose handshake has just completed. If `asks` is false, no
   * pings are sent, because the subprotocol has no place for them.
   */
  open(now: Instant, asks = true): void {
    this.#reset();
    this.#advance(now);
    this.#flags = OPEN;
    if (!asks || this.#memory?.speaks === false) this.#flags |= MUTED;
    this.#lastSent = this.#lastReceived = this.#lastPing = this.#now;
    this.#interval = drawInterval(this.#timing);
  }

  /**
   * Records that data came from the peer, so it is alive. A hot path: neither allocates nor throws.
   */
  receive(now: Instant): void {
    if (now > this.#lastReceived && now < NEVER) this.#lastReceived = Math.floor(now);
    this.#probeAt = NONE;
    if (this.#silence !== undefined) this.#endSilence(this.#silence);
  }

  /**
   * Records that the application is about to send a message. Pings and pongs that the machine
   * orders are recorded automatically. If nothing was received for `probeAfter`, returns a ping to
   * send before the message. Otherwise schedules a ping at half of `probeAfter` from now, because
   * the link may be dead all the same; data received before then cancels it.
   */
  sent(now: Instant): readonly HeartbeatAction[] {
    if (!(now < NEVER)) return NOTHING; // not a valid time
    if (now > this.#lastSent) this.#lastSent = Math.floor(now);
    const { probeAfter } = this.#timing.options;
    const isAsked = this.#silence !== undefined;
    if (probeAfter === NEVER || isAsked || this.#is(SUSPENDED | MUTED)) return NOTHING;
    if (this.stallAt(now) > 0) return NOTHING; // the overdue tick sends a ping
    const wait = this.isSilentTo(now) ? 0 : probeAfter / 2;
    const at = Math.max(now + wait, this.#lastPing + PROBE_GAP);
    if (at <= now) return this.ping(now);
    if (this.#isOpen && this.#probeAt === NONE) this.#probeAt = Math.ceil(at);
    return NOTHING;
  }

  /** Records how many bytes the socket has not sent yet. Call it before {@link tick} and pings. */
  buffered(bytes: number): void {
    if (bytes > 0) this.#flags |= BACKLOGGED;
    else this.#flags &= ~BACKLOGGED;
  }

  /** Records a ping from the peer; returns the pong to send, with the same id. */
  receivePing(now: Instant, id?: string): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#isOpen) return NOTHING;
    this.#forgiveStall();
    this.receive(now);
    this.#flags |= PEER_PINGS;
    this.#unmute();
    this.#lastSent = this.#now;
    return [{ type: 'pong', id }];
  }

  /**
   * Records a pong from the peer; returns what it answers. A pong answers the ping with its id and
   * all pings before it, because messages stay in order. A bare pong answers the oldest bare ping.
   * An unsolicited pong only shows that the peer is alive; the result is undefined.
   */
  receivePong(now: Instant, id?: string): Answer | undefined {
    this.#advance(now);
    if (!this.#isOpen) return undefined;
    this.#forgiveStall();
    this.receive(now);
    this.#unmute();
    const ping = this.#takeAnswered(id);
    if (ping === undefined) return undefined;
    this.#flags |= PEER_ANSWERS;
    return this.#measure(ping);
  }

  /** Applies the timing that the peer advertised in the ping or pong just received. */
  adopt(advertised: AdvertisedTiming): void {
    this.#flags |= PEER_PINGS;
    this.#retime(adoptTiming(this.#timing, advertised));
  }

  /** Applies the page state that the peer just sent: a hidden or frozen page gets more time. */
  setPeerState(peerState: PeerState): void {
    this.#retime(timingInForce(this.#base, this.#timing.advertised, peerState));
  }

  /**
   * Changes the timing of this side from the next period on. What the peer advertised still
   * applies.
   */
  rebase(base: Timing): void {
    const { advertised, peerState } = this.#timing;
    this.#timing = timingInForce(base, advertised, peerState);
  }

  /**
   * Handles what is due at `now`. Does nothing before {@link deadline}. While `isPaused` is true,
   * nothing is read, so the peer is not judged; after the pause it is pinged again.
   */
  tick(now: Instant, isPaused = false): readonly HeartbeatAction[] {
    this.#advance(now);
    const lateBy = this.#now - this.deadline; // -Infinity if there is no deadline
    if (lateBy < 0) return NOTHING;
    const actions: HeartbeatAction[] = [];
    if (isPaused) {
      this.#pause(actions);
      return actions;
    }
    if (this.#is(PAUSED)) this.#unpause(actions);
    else if (lateBy > this.#timing.timerSlack) this.#wasStalled(actions, lateBy);
    else this.#judge(actions, false);
    if (this.#isOpen && this.#now >= this.#pingAt) this.#pingUnasked(actions);
    return actions;
  }

  /** Pings now, regardless of the schedule, with `id` if it is given. */
  ping(now: Instant, id?: string): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#isOpen) return NOTHING;
    const actions: HeartbeatAction[] = [];
    this.#ping(actions, true, undefined, id);
    return actions;
  }

  /**
   * Pings now because of a hint: the page became visible again, or the network changed. If nothing
   * is received within `shortTimeout` ms, the peer is `suspect`; it is `dead` at `pingTimeout`, not
   * earlier. An outstanding ping younger than `shortTimeout` is used instead of a new one.
   */
  probe(now: Instant, shortTimeout: Millis): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#isOpen || this.isMuted) return NOTHING;
    const actions: HeartbeatAction[] = [];
    const asked = this.#silence !== undefined && this.#now - this.#lastPing < shortTimeout;
    if (!asked) this.#ping(actions, true);
    if (shortTimeout > 0) this.#silence?.hurry(this.#now + shortTimeout);
    return actions;
  }

  /** Stops all deadlines until {@link resume}, because this side is about to stop running. */
  suspend(now: Instant): void {
    this.#advance(now);
    this.#flags |= SUSPENDED;
    this.#outstanding?.distrust(); // their latency will include the time of the suspension
  }

  /**
   * Ends {@link suspend}. The time of the suspension does not count, so the peer is pinged again.
   */
  resume(now: Instant): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#is(SUSPENDED)) return NOTHING;
    this.#flags &= ~SUSPENDED;
    if (!this.#isOpen) return NOTHING;
    const actions: HeartbeatAction[] = [];
    this.#askAfresh(actions);
    return actions;
  }

  /**
   * Ends the heartbeat of a connection. Pass `byPeer` if the peer sent a Close frame and this side
   * had not sent one. From here on, every input except {@link open} is ignored. Returns whether the
   * peer apparently closed because of the first ping.
   */
  close(now: Instant, byPeer = false): boolean {
    this.#advance(now);
    const isRefusal = byPeer && this.#isFirstPingFresh;
    if (isRefusal) this.#memory?.closedAfterFirstPing();
    this.#reset();
    return isRefusal;
  }

  // Outputs.

  get status(): HeartbeatStatus {
    if (this.#is(SUSPECT)) return 'suspect';
    if (this.#is(OPEN)) return 'alive';
    return this.#is(DEAD) ? 'dead' : 'idle';
  }

  /** When {@link tick} must be called next; `Infinity` if nothing is due. */
  get deadline(): Instant {
    if ((this.#flags & (OPEN | SUSPENDED)) !== OPEN) return NEVER;
    return Math.ceil(this.#dueAt); // whole ms, like the instants that it is compared with
  }

  get #dueAt(): Instant {
    if (this.#is(PAUSED)) return this.#afreshAt + PAUSE_LOOK;
    const pingAt = this.#pingAt;
    if (this.#outstanding === undefined && !this.isMuted) return pingAt; // no answer is owed
    const judged = this.#verdictAt === NONE ? this.#judgedAt : this.#verdictAt;
    return Math.min(pingAt, this.#silence?.suspectAt ?? NEVER, judged);
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, with the timing in force and
   * while this process runs. `Infinity` if pings or their timeout are off.
   */
  get detectionBound(): Millis {
    const { pingInterval, timerSlack, options } = this.#timing;
    if (this.isMuted) return options.maxSilence + VERDICT_WAIT + 2 * timerSlack;
    const timeouts = this.#silence?.isDeferred ? BACKLOG_TIMEOUTS : 1;
    return pingInterval + timeouts * this.pingTimeout + VERDICT_WAIT + 3 * timerSlack;
  }

  /** The last measured latency in ms; undefined until the first pong. */
  get latency(): Millis | undefined {
    return this.latest;
  }

  /** The share of this connection's pings that were never answered, in [0, 1]. */
  get loss(): number {
    const settled = this.#sent - (this.#outstanding?.count ?? 0);
    return settled === 0 ? 0 : this.#lost / settled;
  }

  get lastSent(): Instant {
    return this.#lastSent;
  }

  get lastReceived(): Instant {
    return this.#lastReceived;
  }

  /**
   * The timeout in force, in ms: from the options or advertised by the peer; longer after timeouts
   * in a row and for a hidden page.
   */
  get pingTimeout(): Millis {
    const timeout = answerTimeout(this.#timing);
    return this.#memory?.stretch(timeout) ?? timeout;
  }

  /** The interval in force, in ms: from the options or advertised by the peer. */
  get pingInterval(): Millis {
    return this.#timing.pingInterval;
  }

  /** Whether no pings are sent, because the peer does not answer them. */
  get isMuted(): boolean {
    return this.#is(MUTED);
  }

  /** Whether no pings are sent because the peer closed connections right after the first ping. */
  get isRefused(): boolean {
    return this.isMuted && this.#memory?.refuses === true;
  }

  /**
   * How late a {@link tick} at `now` would be, in ms, if that is late enough for a stall; else 0.
   */
  stallAt(now: Instant): Millis {
    const lateBy = now - this.deadline; // -Infinity if there is no deadline
    return lateBy > this.#timing.timerSlack ? lateBy : 0;
  }

  /** Whether nothing was received for `probeAfter`, so that sending a message causes a ping. */
  isSilentTo(now: Instant): boolean {
    return now - this.#lastReceived >= this.#timing.options.probeAfter;
  }

  /** Whether a message has scheduled a ping, so that the deadline may be earlier. */
  get isToProbe(): boolean {
    return this.#probeAt !== NONE;
  }

  /** Whether a ping with this id is unanswered. No other ping may use the id until then. */
  isOutstanding(id: string): boolean {
    return this.#outstanding?.has(id) === true;
  }

  /**
   * How late a timer may be, in ms, before it is a stall; {@link HIDDEN_TIMER_SLACK} in a hidden
   * page.
   */
  get timerSlack(): Millis {
    return this.#timing.timerSlack;
  }

  set timerSlack(timerSlack: Millis) {
    this.rebase({ ...this.#base, timerSlack });
  }

  /** How long a peer without pings may be silent, in ms; `Infinity` for no limit. */
  get maxSilence(): Millis {
    return this.#timing.options.maxSilence;
  }

  set maxSilence(maxSilence: Millis) {
    const base = this.#base;
    this.rebase({ ...base, options: { ...base.options, maxSilence } });
  }

  // Timers.

  #is(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  get #isOpen(): boolean {
    return this.#is(OPEN);
  }

  /** When the next scheduled ping is due. */
  get #pingAt(): Instant {
    if (this.isMuted || this.#timing.peerState === 'frozen') return NEVER;
    const pingAt = Math.max(this.#quietAt, this.#afreshAt);
    return this.#probeAt === NONE ? pingAt : Math.min(pingAt, this.#probeAt);
  }

  get #quietAt(): Instant {
    // While a ping is unanswered, traffic does not postpone the next one.
    if (this.#outstanding !== undefined) return this.#lastPing + this.#interval;
    const quietAt = Math.min(this.#lastSent, this.#lastReceived) + this.#interval;
    if (this.#is(PEER_PINGS)) return quietAt;
    return Math.min(quietAt, this.#lastPing + (MAX_SKIPS + 1) * this.#interval);
  }

  /** When the peer times out, before VERDICT_WAIT. */
  get #judgedAt(): Instant {
    if (this.isMuted) return this.#lastReceived + this.#timing.options.maxSilence;
    return Math.min(this.#silence?.timeoutAt ?? NEVER, this.#oneWayAt);
  }

  /**
   * Counts from the oldest unanswered ping or the last pong, for a peer that has answered before.
   */
  get #oneWayAt(): Instant {
    const isHeld = this.#is(PEER_ANSWERS) || this.#memory?.hasAnswered;
    if (this.#outstanding === undefined || !isHeld) return NEVER;
    const { owedSince } = this.#outstanding;
    const { pingTimeout } = this;
    const period = this.#timing.pingInterval + pingTimeout;
    return Math.max(owedSince + ONE_WAY_PERIODS * period, this.#afreshAt + pingTimeout);
  }

  get #base(): Timing {
    return this.#timing.base ?? this.#timing;
  }

  /**
   * Changes the timing in force. If it differs, what the new timing would have made due in the past
   * is due now, and does not count as late.
   */
  #retime(timing: Timing): void {
    const { pingInterval, pingTimeout, peerState } = this.#timing;
    this.#timing = timing;
    const isSame = pingInterval === timing.pingInterval && pingTimeout === timing.pingTimeout;
    if (isSame && peerState === timing.peerState) return;
    this.#interval = drawInterval(timing);
    this.#afreshAt = this.#now;
  }

  #wasStalled(actions: HeartbeatAction[], lateBy: Millis): void {
    actions.push({ type: 'stall', lateBy });
    const judges = this.#silence !== undefined || this.#now >= this.#judgedAt;
    if (judges && this.#stalls === MAX_STALLS) return this.#judge(actions, true);
    if (judges) this.#flags += STALL;
    this.#askAfresh(actions);
  }

  #judge(actions: HeartbeatAction[], stalled: boolean): void {
    const silence = this.#silence;
    if (silence?.isDeferred && this.#now >= silence.timeoutAt) {
      silence.defer(this.#now, this.pingTimeout, this.#is(BACKLOGGED));
    }
    const isOverdue = this.#now >= this.#judgedAt;
    if (!isOverdue)
      this.#verdictAt = NONE; // input has arrived
    else if (this.#verdictAt === NONE && !stalled) this.#verdictAt = this.#now + VERDICT_WAIT;
    else if (this.#now >= this.#verdictAt) return this.#giveUp(actions);
    if (silence !== undefined && this.#now >= silence.suspectAt) this.#suspect(actions, silence);
  }

  #suspect(actions: HeartbeatAction[], silence: AnswerDeadline): void {
    this.#flags |= SUSPECT;
    silence.suspectAt = NEVER;
    // The first ping carries an id. A peer may answer only bare pings, so one is sent here.
    const mayBeAutomatic = !this.#is(PEER_ANSWERS) && !this.#outstanding?.hasBare;
    if (mayBeAutomatic && !this.#is(BACKLOGGED)) this.#ping(actions, false);
  }

  #giveUp(actions: HeartbeatAction[]): void {
    if (!this.isMuted && this.#mayNotSpeak) return this.#mute(actions);
    const { pingTimeout } = this;
    const reason = this.#timeoutReason;
    const silentFor = Math.max(0, this.#now - this.#lastReceived);
    // If the connection is muted, `#mute` has recorded its end already.
    if (!this.isMuted) this.#memory?.ended(reason === 'ping-timeout', this.#is(PEER_ANSWERS));
    this.#reset();
    this.#flags = DEAD;
    actions.push({ type: 'timeout', reason, silentFor, pingTimeout });
  }

  get #timeoutReason(): TimeoutReason {
    if (this.isMuted) return 'max-silence';
    return this.#now >= (this.#silence?.timeoutAt ?? NEVER) ? 'ping-timeout' : 'one-way';
  }

  // Pings.

  #pingUnasked(actions: HeartbeatAction[]): void {
    const owedSince = this.#outstanding?.owedSince ?? NEVER;
    const isInVain = this.#sent > 1 && this.#now - owedSince > this.pingTimeout;
    // The peer sends data, but has answered neither the first ping nor the bare ping after it.
    if (isInVain && this.#mayNotSpeak) return this.#mute(actions);
    if (owedSince === NEVER || !this.#is(BACKLOGGED)) return this.#ping(actions, false);
    // No further ping is put into a buffer that does not drain: the unanswered one is enough.
    this.#lastSent = this.#lastPing = this.#now; // that ping is on its way
    this.#probeAt = NONE;
    this.#silence ??= this.#beginSilence();
  }

  #ping(actions: HeartbeatAction[], asked: boolean, lostAfter?: Millis, given?: string): void {
    const id = given ?? this.#nextId(asked);
    this.#sent += 1;
    const sampled = !this.#is(BACKLOGGED | PAUSED); // else latency includes waiting on this side
    const ping = { seq: this.#sent, id, sentAt: Heartbeat.#present, sampled };
    if (this.#outstanding === undefined) this.#outstanding = new OutstandingPings(ping);
    else this.#lost += this.#outstanding.add(ping, lostAfter ?? this.pingTimeout);
    this.#lastSent = this.#lastPing = this.#now;
    this.#probeAt = NONE;
    if (!this.isMuted) this.#silence ??= this.#beginSilence();
    this.#interval = drawInterval(this.#timing);
    actions.push({ type: 'ping', seq: ping.seq, id, first: ping.seq === 1 });
  }

  /**
   * The id of the next ping. An `asked` ping (not a scheduled one) has an id if another is
   * unanswered.
   */
  #nextId(asked: boolean): string | undefined {
    if (this.#is(KNOWS_NO_IDS)) return undefined;
    const pings = this.#outstanding;
    // A peer that has not answered an id yet may answer only bare pings: send one.
    const findsOut = !asked && !this.#is(KNOWS_IDS) && !pings?.hasBare;
    if (this.#sent > 0 && (pings === undefined || findsOut)) return undefined;
    let next = this.#sent + 1;
    while (pings?.has(next.toString(36))) next += 1; // the application chose that id
    return next.toString(36);
  }

  /** Removes and returns the ping that a pong answers; undefined if the pong is unsolicited. */
  #takeAnswered(id: string | undefined): OutstandingPing | undefined {
    const pings = this.#outstanding;
    if (pings === undefined) return undefined;
    const { count, oldest } = pings;
    const ping = pings.answer(id, this.#now);
    if (ping === undefined) return undefined;
    this.#lost += count - pings.count - 1;
    if (pings.count === 0) {
      this.#outstanding = undefined;
      this.#verdictAt = NONE;
    }
    if (id !== undefined) this.#flags = (this.#flags & ~KNOWS_NO_IDS) | KNOWS_IDS;
    else if (oldest.seq === 1) this.#flags |= KNOWS_NO_IDS; // the first ping has an id
    return ping;
  }

  /**
   * Handles a ping or pong read before an overdue tick: it may have waited, and the tick is void.
   */
  #forgiveStall(): void {
    if (this.stallAt(this.#now) === 0) return;
    this.#outstanding?.distrust();
    this.#afreshAt = this.#now;
  }

  /** Judges nothing. Due pings are still sent, to keep proxies from closing the connection. */
  #pause(actions: HeartbeatAction[]): void {
    this.#flags |= PAUSED;
    this.#afreshAt = this.#now;
    this.#outstanding?.distrust();
    if (this.#now >= this.#pingAt && !this.#is(BACKLOGGED)) this.#ping(actions, false);
  }

  #unpause(actions: HeartbeatAction[]): void {
    this.#flags &= ~PAUSED;
    this.#askAfresh(actions);
  }

  /** Clears the answer deadline, and sends a ping with a full timeout. */
  #askAfresh(actions: HeartbeatAction[]): void {
    this.#silence = undefined;
    this.#afreshAt = this.#now;
    this.#verdictAt = this.isMuted ? this.#now + VERDICT_WAIT : NONE;
    this.#outstanding?.distrust();
    if (!this.isMuted) this.#ping(actions, true, NEVER); // gives up none: pongs may be unread
  }

  #measure(ping: OutstandingPing): Answer {
    const waited = Math.max(0, Heartbeat.#present - ping.sentAt);
    const latency = Math.round(waited * 1_000) / 1_000; // to the microsecond
    if (ping.sampled) this.sample(latency);
    this.#memory?.answered(latency <= this.#timing.pingTimeout);
    return { seq: ping.seq, id: ping.id, latency, sampled: ping.sampled };
  }

  // The answer deadline.

  #beginSilence(since: Instant = this.#now): AnswerDeadline {
    const { pingTimeout } = this;
    const suspicion = this.#suspicion ?? Suspicion.initial;
    const { suspectAfter } = this.#timing.options;
    const wait = suspicion.wait(this, suspectAfter, pingTimeout, since);
    return new AnswerDeadline(since, wait, pingTimeout, this.#is(BACKLOGGED));
  }

  #endSilence({ since }: AnswerDeadline): void {
    if (this.#lastReceived < since) this.#lastReceived = since; // its time ran backwards
    this.#silence = undefined;
    this.#flags &= STALL - 1;
    if (!this.#is(SUSPECT)) return;
    this.#flags &= ~SUSPECT;
    if (!this.#is(PEER_ANSWERS)) return; // it may not understand the first ping
    this.#suspicion ??= new Suspicion();
    this.#suspicion.wasFalse(this.#lastReceived);
  }

  // A peer that may not support heartbeats.

  /**
   * Whether the peer may not support heartbeats: no beats here, and none expected from its past.
   */
  get #mayNotSpeak(): boolean {
    return !this.#is(PEER_ANSWERS) && !this.#is(PEER_PINGS) && this.#memory?.forgives === true;
  }

  /**
   * Whether a Close frame now would be a refusal of the first ping, whatever else the peer sent.
   */
  get #isFirstPingFresh(): boolean {
    const first = this.#outstanding?.oldest; // the first ping, until a pong comes
    if (first?.seq !== 1 || this.isMuted || !this.#mayNotSpeak) return false;
    return this.#now - first.sentAt <= REFUSAL_WITHIN;
  }

  #mute(actions: HeartbeatAction[]): void {
    const silentFor = Math.max(0, this.#now - this.#lastReceived);
    this.#memory?.ended(false, false);
    this.#forget();
    this.#flags = (this.#flags & ~SUSPECT) | MUTED;
    actions.push({ type: 'unanswered', silentFor });
    if (this.#now >= this.#judgedAt) this.#giveUp(actions); // `maxSilence` has already passed
  }

  /** Sends pings again, because the peer has sent a ping or pong. */
  #unmute(): void {
    if (!this.isMuted) return;
    this.#memory?.answered(false);
    this.#flags &= ~MUTED;
    this.#afreshAt = this.#now;
    this.#verdictAt = NONE; // it belonged to `maxSilence`
  }

  #advance(now: Instant): void {
    const runsOn = now > this.#now && now < NEVER;
    Heartbeat.#present = runsOn ? now : this.#now;
    if (runsOn) this.#now = Math.floor(now);
  }

  /** The number of stalls in a row. */
  get #stalls(): number {
    return Math.floor(this.#flags / STALL);
  }

  /** Forgets all pings sent. */
  #forget(): void {
    this.#silence = undefined;
    this.#verdictAt = this.#probeAt = NONE;
    this.#outstanding = undefined;
    this.#sent = this.#lost = 0;
  }

  #reset(): void {
    this.#forget();
    this.#flags = 0;
    this.#timing = timingInForce(this.#base, this.#timing.advertised, 'visible');
  }
}
