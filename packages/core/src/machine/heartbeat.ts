// Rule 1: everything that decides when to ping and when to give up lives in this file.
// Rule 2: it does not know which side it is on, what a socket is, or what time it is: `now` is told.
// Rule 3: same options, same inputs, same outputs.
// Rule 4: an early or repeated `tick` does nothing. A late one (we were frozen, the loop was
//         blocked) is news about us, not about the peer: it probes before it blames.
//
// Theory of operation
//
// Three clocks are kept apart. `lastSent` is what the peer and the proxies on the way have seen of
// us. `lastReceived` is what we have seen of the peer. The third is the silence that began with a
// ping: the oldest ping since which nothing at all was received. Only it can end in death.
//
// A ping is due when one of the two directions has been quiet for `pingInterval`. If something went
// both ways meanwhile, the ping is skipped; the other end does the same, so one beat serves both.
//
//          ping sent                   adaptive deadline    pingTimeout     + VERDICT_WAIT
//   alive ───┬─────────────────────────────┬───────────────────┬────────────────┬───► dead
//            │ silence begins              │ suspect           │ look once more │
//            └── any bytes: silence over, alive ◄──────────────┴────────────────┘
//
// A tick later than `timerSlack` finds the bytes that came meanwhile still unread, for most runtimes
// run an overdue timer before they read. It sends a fresh ping with a full timeout of its own; after
// MAX_STALLS such ticks without any input the verdict counts.
//
// A peer that sends but never answers is caught by the one-way clock: it starts with the first ping
// that no pong has answered, and only for a peer that is held to answers: one that has answered.
//
// A peer of whom nothing is known may not speak at all. If it leaves our pings unanswered, that is
// no death: we fall mute, ping no more, and judge it by `maxSilence`. What it does later may teach
// us better: a ping or pong of its ends that. A peer that sends a Close frame soon after our first
// ping, and no beat before it, refuses pings, whatever else it sent: after two of them we are mute.
//
// While the application has paused the socket, nothing that the peer sends is read, so nothing is
// judged. A timer looks whether it still is, and after the pause the peer is asked afresh.
//
// Bytes that were queued ahead of a ping defer its clock, up to BACKLOG_TIMEOUTS times over: a ping
// that has not left cannot be answered. That the queue drains proves nothing of the peer.
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

/** How long even a punctual verdict waits for input: queued pongs come up to 100 ms after a timer. */
export const VERDICT_WAIT: Millis = 250;
/** Stalls in a row after which a verdict counts although it is late. */
const MAX_STALLS = 3;
/** Pings in a row that may be skipped towards a peer that may not know what a skip is. */
const MAX_SKIPS = 3;
/** The least time between a ping and one that a message brings: at most ten in nine seconds. */
const PROBE_GAP: Millis = 900;
/** Pings must have been in vain for so many periods until a peer that sends is `one-way`. */
const ONE_WAY_PERIODS = 3;
/** A peer that closes so soon after our first ping, and has sent no beat, closes because of it. */
const REFUSAL_WITHIN: Millis = 5_000;
/** While the application has paused the socket, we look this often whether it still does. */
const PAUSE_LOOK: Millis = 1_000;

// What is so on this connection, as bits of one field: a field for each would take eight bytes.
const SUSPENDED = 1; // we do not run, and know it
const PEER_PINGS = 2; // so it knows what a skipped ping is
const PEER_ANSWERS = 4; // so it is held to it
const MUTED = 8; // it left our pings unanswered, so there are no more
const BACKLOGGED = 16; // bytes wait to leave, as far as was told
const KNOWS_IDS = 32; // it has answered one
const KNOWS_NO_IDS = 64; // it passed over the first ping, and answered the bare one after it
const OPEN = 128;
const SUSPECT = 256; // and open
const DEAD = 512;
const PAUSED = 1_024; // the application does not read, as of the last look
const STALL = 2_048; // how many stalls there were in a row, from this bit on

const NEVER: Instant = Number.POSITIVE_INFINITY;
const NONE: Instant = -1; // where Infinity, no small integer, would take memory
const NOTHING: readonly HeartbeatAction[] = Object.freeze([]);

/**
 * Decides when to ping and when to give a peer up, and measures latency. See the head of the file.
 *
 * Instants may be fractions. What is kept of them is whole ms, which take less memory; latency is
 * measured before that. Time that runs backwards, or is no number, stands still. Nothing throws but
 * the constructor.
 *
 * There is one for each of very many connections. So it is an estimator, and has none: an object of
 * its own would take 32 bytes more; and what is about pings that are out is made when one is.
 */
export class Heartbeat extends RttEstimator {
  /** That of the input being handled, with its fraction: nothing is kept from one to the next. */
  static #present: Instant = 0;
  readonly #memory: PeerMemory | undefined;
  #timing: Timing;
  #interval: Millis = 0; // of this period: pingInterval less jitter

  #now: Instant = 0;
  #lastSent: Instant = 0;
  #lastReceived: Instant = 0;
  #lastPing: Instant = 0; // that of the connection's opening before the first
  #silence: AnswerDeadline | undefined;
  #afreshAt: Instant = 0; // when we blamed ourselves, or the rules changed: nothing was due before
  #verdictAt: Instant = NONE; // end of the second look, once the first is over
  #probeAt: Instant = NONE; // a message was sent, and nothing received since: ask then

  #outstanding: OutstandingPings | undefined; // while there are any
  #sent = 0; // pings
  #lost = 0; // of them, those passed over by a pong to a later one, or given up
  #suspicion: Suspicion | undefined; // from the first false one on
  #flags = 0;

  /**
   * A {@link Timing} in place of options is shared, not copied. Without a `memory` the peer is one
   * that must answer, as every WebSocket must a protocol Ping.
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   */
  constructor(options: HeartbeatOptions | Timing = {}, memory?: PeerMemory) {
    super();
    this.#timing = 'options' in options ? options : initialTiming(resolveHeartbeatOptions(options));
    this.#memory = memory;
  }

  // Inputs.

  /**
   * The connection is open: the handshake went both ways just now. `asks` is false where the peer
   * speaks a protocol that has no place for our pings: it gets none.
   */
  open(now: Instant, asks = true): void {
    this.#reset();
    this.#advance(now);
    this.#flags = OPEN;
    if (!asks || this.#memory?.speaks === false) this.#flags |= MUTED;
    this.#lastSent = this.#lastReceived = this.#lastPing = this.#now;
    this.#interval = drawInterval(this.#timing);
  }

  /** Anything came from the peer: proof of life. The hot path: it neither allocates nor throws. */
  receive(now: Instant): void {
    if (now > this.#lastReceived && now < NEVER) this.#lastReceived = Math.floor(now);
    this.#probeAt = NONE;
    if (this.#silence !== undefined) this.#endSilence(this.#silence);
  }

  /**
   * The application sends something. Pings and pongs ordered by the machine are counted by it. Into
   * a silence of `probeAfter` a ping goes first, so that what is queued ahead of it was there before.
   * Sooner than that it is planned, for the message may meet a dead link all the same: halfway to the
   * next message of an application that sends one each `probeAfter`, the verdict is there before that.
   */
  sent(now: Instant): readonly HeartbeatAction[] {
    if (!(now < NEVER)) return NOTHING; // no time
    if (now > this.#lastSent) this.#lastSent = Math.floor(now);
    const { probeAfter } = this.#timing.options;
    const isAsked = this.#silence !== undefined;
    if (probeAfter === NEVER || isAsked || this.#is(SUSPENDED | MUTED)) return NOTHING;
    if (this.stallAt(now) > 0) return NOTHING; // the tick will tell
    const wait = this.isSilentTo(now) ? 0 : probeAfter / 2;
    const at = Math.max(now + wait, this.#lastPing + PROBE_GAP);
    if (at <= now) return this.ping(now);
    if (this.#isOpen && this.#probeAt === NONE) this.#probeAt = Math.ceil(at);
    return NOTHING;
  }

  /** So many bytes wait to leave. Told before {@link tick} and the pings, where it is known. */
  buffered(bytes: number): void {
    if (bytes > 0) this.#flags |= BACKLOGGED;
    else this.#flags &= ~BACKLOGGED;
  }

  /** The peer sent a ping. It wants its id back. */
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
   * The peer sent a pong. It answers its ping and all before it, for messages keep their order; a
   * bare one answers the oldest bare ping. One that nobody asked for is life, and nothing else.
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

  /** The peer advertised its timing in the beat that was just received. */
  adopt(advertised: AdvertisedTiming): void {
    this.#flags |= PEER_PINGS;
    this.#retime(adoptTiming(this.#timing, advertised));
  }

  /** In the beat just received the peer says what its page is: unseen, it is judged with patience. */
  setPeerState(peerState: PeerState): void {
    this.#retime(timingInForce(this.#base, this.#timing.advertised, peerState));
  }

  /** This side asks for other timing, from the next period on. What the peer has said still counts. */
  rebase(base: Timing): void {
    const { advertised, peerState } = this.#timing;
    this.#timing = timingInForce(base, advertised, peerState);
  }

  /**
   * Time has passed. Does nothing before {@link deadline}. While `isPaused`, we do not read what the
   * peer sends, so it is not judged; after that it is asked afresh.
   */
  tick(now: Instant, isPaused = false): readonly HeartbeatAction[] {
    this.#advance(now);
    const lateBy = this.#now - this.deadline; // -Infinity without a deadline
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

  /** Asks now, whatever the schedule says. An `id` that is given is sent as it is. */
  ping(now: Instant, id?: string): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#isOpen) return NOTHING;
    const actions: HeartbeatAction[] = [];
    this.#ping(actions, true, undefined, id);
    return actions;
  }

  /**
   * A hint (the page is seen again, the network changed) makes us ask now. No answer within
   * `shortTimeout` makes the peer `suspect`; it is `dead` at `pingTimeout`, no earlier. A ping that
   * is out already and young enough serves as well: pings do not pile up.
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

  /** We are not going to run for a while, and know it: no deadline until {@link resume}. */
  suspend(now: Instant): void {
    this.#advance(now);
    this.#flags |= SUSPENDED;
    this.#outstanding?.distrust(); // what they measure from here is our own absence
  }

  /** We run again. Silence meanwhile is nobody's fault, so the peer is asked afresh. */
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
   * The connection has ended; `byPeer` if the peer sent a Close frame and we had not sent one.
   * Everything but {@link open} is ignored from here. Returns whether the peer refused our first
   * ping, as far as can be told.
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

  /** The next instant at which {@link tick} matters; `Infinity` if none. */
  get deadline(): Instant {
    if ((this.#flags & (OPEN | SUSPENDED)) !== OPEN) return NEVER;
    return Math.ceil(this.#dueAt); // as whole as the instants that it is held against
  }

  get #dueAt(): Instant {
    if (this.#is(PAUSED)) return this.#afreshAt + PAUSE_LOOK;
    const pingAt = this.#pingAt;
    if (this.#outstanding === undefined && !this.isMuted) return pingAt; // nobody is judged
    const judged = this.#verdictAt === NONE ? this.#judgedAt : this.#verdictAt;
    return Math.min(pingAt, this.#silence?.suspectAt ?? NEVER, judged);
  }

  /**
   * The worst time from the last byte received to `dead`, while this process runs and for the
   * values in force. `Infinity` if pings or their timeout are off.
   */
  get detectionBound(): Millis {
    const { pingInterval, timerSlack, options } = this.#timing;
    if (this.isMuted) return options.maxSilence + VERDICT_WAIT + 2 * timerSlack;
    const timeouts = this.#silence?.isDeferred ? BACKLOG_TIMEOUTS : 1;
    return pingInterval + timeouts * this.pingTimeout + VERDICT_WAIT + 3 * timerSlack;
  }

  /** The last latency measured; undefined until the first. */
  get latency(): Millis | undefined {
    return this.latest;
  }

  /** The share of this connection's pings that a pong to a later one passed over, in [0, 1]. */
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

  /** In force: the option's or what was adopted, longer after deaths and for a hidden peer. */
  get pingTimeout(): Millis {
    const timeout = answerTimeout(this.#timing);
    return this.#memory?.stretch(timeout) ?? timeout;
  }

  /** In force: the option's, or what was adopted. */
  get pingInterval(): Millis {
    return this.#timing.pingInterval;
  }

  /** Whether the peer answers no pings, so that there are none. */
  get isMuted(): boolean {
    return this.#is(MUTED);
  }

  /** Whether that is so because it closed connections right after our first ping. */
  get isRefused(): boolean {
    return this.isMuted && this.#memory?.refuses === true;
  }

  /** How late a {@link tick} would be, where that is a stall; else 0. */
  stallAt(now: Instant): Millis {
    const lateBy = now - this.deadline; // -Infinity without a deadline
    return lateBy > this.#timing.timerSlack ? lateBy : 0;
  }

  /** Whether so little was received of late that a message brings a ping: see `probeAfter`. */
  isSilentTo(now: Instant): boolean {
    return now - this.#lastReceived >= this.#timing.options.probeAfter;
  }

  /** Whether a message has planned a ping, so that the deadline may be sooner. */
  get isToProbe(): boolean {
    return this.#probeAt !== NONE;
  }

  /** Whether a ping with this id is out: its like is refused until it is answered. */
  isOutstanding(id: string): boolean {
    return this.#outstanding?.has(id) === true;
  }

  /** How late a timer may be until that is a stall: {@link HIDDEN_TIMER_SLACK} in a hidden page. */
  get timerSlack(): Millis {
    return this.#timing.timerSlack;
  }

  set timerSlack(timerSlack: Millis) {
    this.rebase({ ...this.#base, timerSlack });
  }

  // Timers.

  #is(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  get #isOpen(): boolean {
    return this.#is(OPEN);
  }

  /** When the next ping is due unasked. */
  get #pingAt(): Instant {
    if (this.isMuted || this.#timing.peerState === 'frozen') return NEVER;
    const pingAt = Math.max(this.#quietAt, this.#afreshAt);
    return this.#probeAt === NONE ? pingAt : Math.min(pingAt, this.#probeAt);
  }

  get #quietAt(): Instant {
    // While an answer is owed, no traffic puts the next ping off.
    if (this.#outstanding !== undefined) return this.#lastPing + this.#interval;
    const quietAt = Math.min(this.#lastSent, this.#lastReceived) + this.#interval;
    if (this.#is(PEER_PINGS)) return quietAt;
    return Math.min(quietAt, this.#lastPing + (MAX_SKIPS + 1) * this.#interval);
  }

  /** When the verdict is due, before the second look. */
  get #judgedAt(): Instant {
    if (this.isMuted) return this.#lastReceived + this.#timing.options.maxSilence;
    return Math.min(this.#silence?.timeoutAt ?? NEVER, this.#oneWayAt);
  }

  /** Counted from the first ping that is owed, or from the last pong since, where answers are owed. */
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

  /** The peer has said something. If other timing is in force by that: what would have been due by it long ago is due now, and not late. */
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
      this.#verdictAt = NONE; // the input it waited for has come
    else if (this.#verdictAt === NONE && !stalled) this.#verdictAt = this.#now + VERDICT_WAIT;
    else if (this.#now >= this.#verdictAt) return this.#giveUp(actions);
    if (silence !== undefined && this.#now >= silence.suspectAt) this.#suspect(actions, silence);
  }

  #suspect(actions: HeartbeatAction[], silence: AnswerDeadline): void {
    this.#flags |= SUSPECT;
    silence.suspectAt = NEVER;
    // The first ping carries an id. Who answers only the bare constant gets its chance here.
    const mayBeAutomatic = !this.#is(PEER_ANSWERS) && !this.#outstanding?.hasBare;
    if (mayBeAutomatic && !this.#is(BACKLOGGED)) this.#ping(actions, false);
  }

  #giveUp(actions: HeartbeatAction[]): void {
    if (!this.isMuted && this.#mayNotSpeak) return this.#mute(actions);
    const { pingTimeout } = this;
    const reason = this.#timeoutReason;
    const silentFor = Math.max(0, this.#now - this.#lastReceived);
    // That it fell mute has been counted.
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
    // It sends, but has left the first ping and the bare one after it unanswered.
    if (isInVain && this.#mayNotSpeak) return this.#mute(actions);
    if (owedSince === NEVER || !this.#is(BACKLOGGED)) return this.#ping(actions, false);
    // Pings do not pile up in a buffer that does not drain: the one that is owed asks once more.
    this.#lastSent = this.#lastPing = this.#now; // something of ours is on its way
    this.#probeAt = NONE;
    this.#silence ??= this.#beginSilence();
  }

  #ping(actions: HeartbeatAction[], asked: boolean, lostAfter?: Millis, given?: string): void {
    const id = given ?? this.#nextId(asked);
    this.#sent += 1;
    const sampled = !this.#is(BACKLOGGED | PAUSED); // else it, or its pong, waits for us first
    const ping = { seq: this.#sent, id, sentAt: Heartbeat.#present, sampled };
    if (this.#outstanding === undefined) this.#outstanding = new OutstandingPings(ping);
    else this.#lost += this.#outstanding.add(ping, lostAfter ?? this.pingTimeout);
    this.#lastSent = this.#lastPing = this.#now;
    this.#probeAt = NONE;
    if (!this.isMuted) this.#silence ??= this.#beginSilence();
    this.#interval = drawInterval(this.#timing);
    actions.push({ type: 'ping', seq: ping.seq, id, first: ping.seq === 1 });
  }

  /** A ping that is `asked` for by somebody carries an id if another is out. */
  #nextId(asked: boolean): string | undefined {
    if (this.#is(KNOWS_NO_IDS)) return undefined;
    const pings = this.#outstanding;
    // Who has answered no id yet may be an auto-responder: a bare one finds out.
    const findsOut = !asked && !this.#is(KNOWS_IDS) && !pings?.hasBare;
    if (this.#sent > 0 && (pings === undefined || findsOut)) return undefined;
    let next = this.#sent + 1;
    while (pings?.has(next.toString(36))) next += 1; // somebody gave that one
    return next.toString(36);
  }

  /** The ping that a pong answers; undefined if nobody asked for it. */
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
    else if (oldest.seq === 1) this.#flags |= KNOWS_NO_IDS; // it had an id, and was passed over
    return ping;
  }

  /** A beat is read before an overdue tick. It may have waited for us, and the tick is late no more. */
  #forgiveStall(): void {
    if (this.stallAt(this.#now) === 0) return;
    this.#outstanding?.distrust();
    this.#afreshAt = this.#now;
  }

  /** Nothing is judged. Pings go out as they are due, for proxies to see: their pongs wait for us. */
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

  /** Forgives what silence there was and sends a ping with a full timeout of its own. */
  #askAfresh(actions: HeartbeatAction[]): void {
    this.#silence = undefined;
    this.#afreshAt = this.#now;
    this.#verdictAt = this.isMuted ? this.#now + VERDICT_WAIT : NONE;
    this.#outstanding?.distrust();
    if (!this.isMuted) this.#ping(actions, true, NEVER); // none is lost: pongs may be queued
  }

  #measure(ping: OutstandingPing): Answer {
    const waited = Math.max(0, Heartbeat.#present - ping.sentAt);
    const latency = Math.round(waited * 1_000) / 1_000; // to the microsecond
    if (ping.sampled) this.sample(latency);
    this.#memory?.answered(latency <= this.#timing.pingTimeout);
    return { seq: ping.seq, id: ping.id, latency, sampled: ping.sampled };
  }

  // Silence.

  #beginSilence(): AnswerDeadline {
    const { pingTimeout } = this;
    const suspicion = this.#suspicion ?? Suspicion.initial;
    const { suspectAfter } = this.#timing.options;
    const wait = suspicion.wait(this, suspectAfter, pingTimeout, this.#now);
    return new AnswerDeadline(this.#now, wait, pingTimeout, this.#is(BACKLOGGED));
  }

  #endSilence({ since }: AnswerDeadline): void {
    if (this.#lastReceived < since) this.#lastReceived = since; // its time had run backwards
    this.#silence = undefined;
    this.#flags &= STALL - 1;
    if (!this.#is(SUSPECT)) return;
    this.#flags &= ~SUSPECT;
    if (!this.#is(PEER_ANSWERS)) return; // it may not know the first ping
    this.#suspicion ??= new Suspicion();
    this.#suspicion.wasFalse(this.#lastReceived);
  }

  // A peer that may not speak.

  /** It has not answered here, and is not held to answers: it never gave one, or twice none. */
  get #mayNotSpeak(): boolean {
    return !this.#is(PEER_ANSWERS) && !this.#is(PEER_PINGS) && this.#memory?.forgives === true;
  }

  /** Our first ping is out so short that a Close frame would be the answer, whatever else was sent. */
  get #isFirstPingFresh(): boolean {
    const first = this.#outstanding?.oldest; // the first, until a pong comes
    if (first?.seq !== 1 || this.isMuted || !this.#mayNotSpeak) return false;
    return this.#now - first.sentAt <= REFUSAL_WITHIN;
  }

  #mute(actions: HeartbeatAction[]): void {
    const silentFor = Math.max(0, this.#now - this.#lastReceived);
    this.#memory?.ended(false, false);
    this.#forget();
    this.#flags = (this.#flags & ~SUSPECT) | MUTED;
    actions.push({ type: 'unanswered', silentFor });
    if (this.#now >= this.#judgedAt) this.#giveUp(actions); // `maxSilence` is over already
  }

  /** It speaks after all. */
  #unmute(): void {
    if (!this.isMuted) return;
    this.#memory?.answered(false);
    this.#flags &= ~MUTED;
    this.#afreshAt = this.#now; // likewise
    this.#verdictAt = NONE; // that of its silence
  }

  #advance(now: Instant): void {
    const runsOn = now > this.#now && now < NEVER;
    Heartbeat.#present = runsOn ? now : this.#now;
    if (runsOn) this.#now = Math.floor(now);
  }

  /** How many there were in a row. */
  get #stalls(): number {
    return Math.floor(this.#flags / STALL);
  }

  /** Forgets what was asked. */
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
