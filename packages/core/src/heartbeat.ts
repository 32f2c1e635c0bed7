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
// that no pong has answered, and only for a peer that has answered on this connection.
//
//   status    open     receive   receivePong   tick: answer overdue        close
//   idle      alive    –         –             –                           –
//   alive     –        alive     alive         suspect at the adaptive     idle
//   suspect   –        alive     alive         dead at pingTimeout         idle
//   dead      –        –         –             –                           idle

import type { ResolvedHeartbeatOptions } from './options.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from './options.ts';
import { OutstandingPings } from './outstanding-pings.ts';
import { RttEstimator } from './rtt-estimator.ts';
import type { Instant, Millis } from './time.ts';

/** What is known of the peer: nothing yet, that it lives, that its answer is overdue, that it is gone. */
export type HeartbeatStatus = 'idle' | 'alive' | 'suspect' | 'dead';

/** Why a peer is dead: it fell silent, or it sends but answers no ping. */
export type TimeoutReason = 'ping-timeout' | 'one-way';

/** An order of the machine to its shell, or news for it. */
export type HeartbeatAction =
  | {
      readonly type: 'ping';
      /** Counts the pings of a connection from 1. */
      readonly seq: number;
      /** Stands in the ping if it is not bare. */
      readonly id: string | undefined;
      /** Whether it is the connection's first, which says what protocol this is. */
      readonly first: boolean;
    }
  | { readonly type: 'pong'; readonly id: string | undefined }
  | { readonly type: 'stall'; readonly lateBy: Millis }
  | { readonly type: 'timeout'; readonly reason: TimeoutReason; readonly silentFor: Millis };

/** What a pong answered: the ping numbered `seq`, and all before it. */
export interface Answer {
  readonly seq: number;
  readonly id: string | undefined;
  /** Time since that ping. */
  readonly latency: Millis;
  /** Whether the latency counts: false if the pong was ambiguous or we were stalled meanwhile. */
  readonly sampled: boolean;
}

/** How long even a punctual verdict waits for input: queued pongs come up to 100 ms after a timer. */
export const VERDICT_WAIT: Millis = 250;
/** How late a timer may be in a page that is seen, or on a server, until that is a stall. */
export const TIMER_SLACK: Millis = 250;
/** The same in a hidden page, where browsers run timers once a second, or once in two. */
export const HIDDEN_TIMER_SLACK: Millis = 2_250;
/** Stalls in a row after which a verdict counts although it is late. */
const MAX_STALLS = 3;
/** Pings in a row that may be skipped towards a peer that may not know what a skip is. */
const MAX_SKIPS = 3;
/** Pings must have been in vain for so many periods until a peer that sends is `one-way`. */
const ONE_WAY_PERIODS = 3;
/** The adaptive deadline before the first sample, RFC 6298 (2.1) in its older, calmer form. */
const INITIAL_SUSPICION: Millis = 3_000;
/** The least adaptive deadline, RFC 6298 (2.4). */
const MIN_SUSPICION: Millis = 1_000;

const NEVER: Instant = Number.POSITIVE_INFINITY;
const NOTHING: readonly HeartbeatAction[] = Object.freeze([]);

/**
 * Decides when to ping and when to give a peer up, and measures latency. See the head of the file.
 *
 * Instants may be fractions; integers take less memory. Time that runs backwards, or is no number,
 * stands still. Nothing throws but the constructor.
 */
export class Heartbeat {
  readonly rtt: RttEstimator = new RttEstimator();
  #options: ResolvedHeartbeatOptions;
  #status: HeartbeatStatus = 'idle';
  #timerSlack: Millis = TIMER_SLACK;
  #suspended = false;
  #interval: Millis = 0; // of this period: pingInterval less jitter

  #now: Instant = 0;
  #lastSent: Instant = 0;
  #lastReceived: Instant = 0;
  #lastPing: Instant = 0; // that of the connection's opening before the first
  #silentSince: Instant = NEVER; // the oldest ping since which nothing was received
  #suspectAt: Instant = NEVER;
  #timeoutAt: Instant = NEVER;
  #oneWayAt: Instant = NEVER;
  #verdictAt: Instant = NEVER; // end of the second look, once the first is over

  #outstanding: OutstandingPings = new OutstandingPings();
  #stalls = 0;
  #peerPings = false; // it knows what a skipped ping is
  #peerAnswers = false; // on this connection, so it is held to it

  /** @throws {InvalidOptionError} if an option is out of its range or unknown. */
  constructor(options?: HeartbeatOptions) {
    this.#options = resolveHeartbeatOptions(options);
  }

  // Inputs.

  /** The connection is open: the handshake went both ways just now. */
  open(now: Instant): void {
    this.#reset();
    this.#advance(now);
    this.#status = 'alive';
    this.#lastSent = this.#lastReceived = this.#lastPing = this.#now;
    this.#drawInterval();
  }

  /** Anything came from the peer: proof of life. The hot path: it neither allocates nor throws. */
  receive(now: Instant): void {
    if (now > this.#now && now < NEVER) this.#now = now;
    this.#lastReceived = this.#now;
    if (this.#silentSince !== NEVER) this.#endSilence();
  }

  /** The application sent something. Pings and pongs ordered by the machine are counted by it. */
  sent(now: Instant): void {
    if (now > this.#now && now < NEVER) this.#now = now;
    this.#lastSent = this.#now;
  }

  /** The peer sent a ping. It wants its id back. */
  receivePing(now: Instant, id?: string): readonly HeartbeatAction[] {
    if (!this.#isOpen) return NOTHING;
    this.receive(now);
    this.#peerPings = true;
    this.#lastSent = this.#now;
    return [{ type: 'pong', id }];
  }

  /**
   * The peer sent a pong. It answers its ping and all before it, for messages keep their order; a
   * bare one answers the oldest bare ping. One that nobody asked for is life, and nothing else.
   */
  receivePong(now: Instant, id?: string): Answer | undefined {
    if (!this.#isOpen) return undefined;
    this.receive(now);
    const ping = this.#outstanding.answer(id);
    if (ping === undefined) return undefined;
    this.#peerAnswers = true;
    this.#oneWayAt = this.#oneWayDeadline();
    const latency = this.#now - ping.sentAt;
    if (ping.sampled) this.rtt.sample(latency);
    return { seq: ping.seq, id, latency, sampled: ping.sampled };
  }

  /** Time has passed. Does nothing before {@link deadline}. */
  tick(now: Instant): readonly HeartbeatAction[] {
    this.#advance(now);
    const lateBy = this.#now - this.deadline; // NaN never is; -Infinity without a deadline
    if (!(lateBy >= 0)) return NOTHING;
    const actions: HeartbeatAction[] = [];
    const stalled = lateBy > this.#timerSlack;
    if (stalled) actions.push({ type: 'stall', lateBy });
    const judges = this.#silentSince !== NEVER || this.#now >= this.#oneWayAt;
    if (stalled && !(judges && this.#stalls === MAX_STALLS)) {
      if (judges) this.#stalls += 1;
      this.#askAfresh(actions);
    } else this.#judge(actions, stalled);
    if (this.#isOpen && this.#now >= this.#pingAt) this.#ping(actions, false);
    return actions;
  }

  /** Asks now, whatever the schedule says. */
  ping(now: Instant): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#isOpen) return NOTHING;
    const actions: HeartbeatAction[] = [];
    this.#ping(actions, true);
    return actions;
  }

  /**
   * A hint (the page is seen again, the network changed) makes us ask now. No answer within
   * `shortTimeout` makes the peer `suspect`; it is `dead` at `pingTimeout`, no earlier. A ping that
   * is out already and young enough serves as well: pings do not pile up.
   */
  probe(now: Instant, shortTimeout: Millis): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#isOpen) return NOTHING;
    const actions: HeartbeatAction[] = [];
    const asked = this.#silentSince !== NEVER && this.#now - this.#lastPing < shortTimeout;
    if (!asked) this.#ping(actions, true);
    const suspectAt = this.#now + shortTimeout;
    if (shortTimeout > 0 && suspectAt < this.#suspectAt) this.#suspectAt = suspectAt;
    return actions;
  }

  /** We are not going to run for a while, and know it: no deadline until {@link resume}. */
  suspend(now: Instant): void {
    this.#advance(now);
    this.#suspended = true;
  }

  /** We run again. Silence meanwhile is nobody's fault, so the peer is asked afresh. */
  resume(now: Instant): readonly HeartbeatAction[] {
    this.#advance(now);
    if (!this.#suspended) return NOTHING;
    this.#suspended = false;
    if (!this.#isOpen) return NOTHING;
    const actions: HeartbeatAction[] = [];
    this.#askAfresh(actions);
    return actions;
  }

  /** The connection has ended. Everything but {@link open} is ignored from here. */
  close(now: Instant): void {
    this.#advance(now);
    this.#reset();
  }

  // Outputs.

  get status(): HeartbeatStatus {
    return this.#status;
  }

  /** The next instant at which {@link tick} matters; `Infinity` if none. */
  get deadline(): Instant {
    if (!this.#isOpen || this.#suspended) return NEVER;
    const judged = this.#verdictAt === NEVER ? this.#judgedAt : this.#verdictAt;
    return Math.min(this.#pingAt, this.#suspectAt, judged);
  }

  /**
   * The worst time from the last byte received to `dead`, while this process runs. `Infinity` if
   * pings or their timeout are off.
   */
  get detectionBound(): Millis {
    const { pingInterval, pingTimeout } = this.#options;
    return pingInterval + pingTimeout + VERDICT_WAIT + 3 * this.#timerSlack;
  }

  /** The last latency measured; undefined until the first. */
  get latency(): Millis | undefined {
    return this.rtt.latest;
  }

  get lastSent(): Instant {
    return this.#lastSent;
  }

  get lastReceived(): Instant {
    return this.#lastReceived;
  }

  get pingTimeout(): Millis {
    return this.#options.pingTimeout;
  }

  /** How late a timer may be until that is a stall: {@link HIDDEN_TIMER_SLACK} in a hidden page. */
  get timerSlack(): Millis {
    return this.#timerSlack;
  }

  set timerSlack(slack: Millis) {
    this.#timerSlack = slack;
  }

  // Timers.

  get #isOpen(): boolean {
    return this.#status === 'alive' || this.#status === 'suspect';
  }

  /** When the next ping is due unasked. */
  get #pingAt(): Instant {
    // While an answer is owed, no traffic puts the next ping off.
    if (this.#outstanding.oldest !== undefined) return this.#lastPing + this.#interval;
    const quietAt = Math.min(this.#lastSent, this.#lastReceived) + this.#interval;
    if (this.#peerPings) return quietAt;
    return Math.min(quietAt, this.#lastPing + (MAX_SKIPS + 1) * this.#interval);
  }

  /** When the verdict is due, before the second look. */
  get #judgedAt(): Instant {
    return Math.min(this.#timeoutAt, this.#oneWayAt);
  }

  #judge(actions: HeartbeatAction[], stalled: boolean): void {
    const isOverdue = this.#now >= this.#judgedAt;
    if (!isOverdue)
      this.#verdictAt = NEVER; // the input it waited for has come
    else if (stalled || this.#now >= this.#verdictAt) return this.#die(actions);
    else if (this.#verdictAt === NEVER) this.#verdictAt = this.#now + VERDICT_WAIT;
    if (this.#now >= this.#suspectAt) this.#suspect(actions);
  }

  #suspect(actions: HeartbeatAction[]): void {
    this.#status = 'suspect';
    this.#suspectAt = NEVER;
    // The first ping carries an id. Who answers only the bare constant gets its chance here.
    if (this.#outstanding.sent === 1) this.#ping(actions, false);
  }

  #die(actions: HeartbeatAction[]): void {
    const reason = this.#now >= this.#timeoutAt ? 'ping-timeout' : 'one-way';
    const silentFor = this.#now - this.#lastReceived;
    this.#reset();
    this.#status = 'dead';
    actions.push({ type: 'timeout', reason, silentFor });
  }

  // Pings.

  #ping(actions: HeartbeatAction[], asked: boolean, lostAfter = this.pingTimeout): void {
    const ping = this.#outstanding.add(this.#now, asked, lostAfter);
    this.#lastSent = this.#lastPing = this.#now;
    if (this.#silentSince === NEVER) this.#beginSilence();
    if (this.#oneWayAt === NEVER) this.#oneWayAt = this.#oneWayDeadline();
    this.#drawInterval();
    actions.push({ type: 'ping', seq: ping.seq, id: ping.id, first: ping.seq === 1 });
  }

  /** Forgives what silence there was and sends a ping with a full timeout of its own. */
  #askAfresh(actions: HeartbeatAction[]): void {
    this.#clearSilence();
    this.#verdictAt = NEVER;
    this.#outstanding.distrust();
    this.#ping(actions, true, NEVER); // none is lost: their pongs may be queued
    this.#oneWayAt = Math.max(this.#oneWayAt, this.#now + this.#options.pingTimeout);
  }

  #drawInterval(): void {
    const { pingInterval, jitter, random } = this.#options;
    this.#interval = jitter === 0 ? pingInterval : pingInterval * (1 - jitter * random());
  }

  // Silence.

  #beginSilence(): void {
    const { pingTimeout } = this.#options;
    const expected = Math.max(MIN_SUSPICION, this.rtt.timeout(INITIAL_SUSPICION));
    this.#silentSince = this.#now;
    this.#timeoutAt = this.#now + pingTimeout;
    this.#suspectAt = this.#now + Math.min(expected, pingTimeout);
  }

  #endSilence(): void {
    this.#clearSilence();
    this.#stalls = 0;
    this.#status = 'alive';
  }

  #clearSilence(): void {
    this.#silentSince = this.#suspectAt = this.#timeoutAt = NEVER;
  }

  /** Counted from the first ping that no pong has answered. */
  #oneWayDeadline(): Instant {
    const { oldest } = this.#outstanding;
    if (oldest === undefined || !this.#peerAnswers) return NEVER;
    const { pingInterval, pingTimeout } = this.#options;
    return oldest.sentAt + ONE_WAY_PERIODS * (pingInterval + pingTimeout);
  }

  #advance(now: Instant): void {
    if (now > this.#now && now < NEVER) this.#now = now;
  }

  #reset(): void {
    this.#status = 'idle';
    this.#suspended = false;
    this.#clearSilence();
    this.#verdictAt = this.#oneWayAt = NEVER;
    this.#outstanding = new OutstandingPings();
    this.#stalls = 0;
    this.#peerPings = this.#peerAnswers = false;
  }
}
