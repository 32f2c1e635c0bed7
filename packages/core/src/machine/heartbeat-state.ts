import type { Instant, Millis } from '../time.ts';
import type { HeartbeatAction } from './actions.ts';
import { OutstandingPings } from './outstanding-pings.ts';
import type { PeerMemory } from './peer-memory.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { SuspectWait } from './suspect-wait.ts';
import { drawInterval, type PeerState, type Timing } from './timing.ts';

export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** What is true of a connection. All are false at first. */
export interface Facts {
  open?: boolean;
  suspect?: boolean;
  /** The peer has timed out. */
  dead?: boolean;
  /** `suspend` was called, and `resume` was not. */
  suspended?: boolean;
  /** The application had paused the socket at the last check. */
  paused?: boolean;
  /** The socket has unsent bytes, as of the last call of `buffered`. */
  backlogged?: boolean;
  /** No pings are sent, because the peer does not answer them. */
  muted?: boolean;
  /** The peer has sent a ping, so it expects skipped pings. */
  peerPings?: boolean;
  /** The peer has answered a ping, so it must go on answering. */
  peerAnswers?: boolean;
}

/**
 * What a {@link Heartbeat} knows. Instants are in whole ms, apart from `exactNow`. Only the machine
 * changes it.
 */
export class HeartbeatState {
  readonly memory: PeerMemory | undefined;
  readonly rtt: RttEstimator = new RttEstimator();
  suspicion: SuspectWait = new SuspectWait();
  /** The timing of this side. */
  timing: Timing;
  /** The interval in force, in ms: from the options or advertised by the peer. */
  pingInterval: Millis;
  /** The timeout, before the past of the peer and its page state make it longer. */
  baseTimeout: Millis;
  /** How late a timer may be, in ms, before it is a stall; more in a hidden page. */
  timerSlack: Millis;
  /** How long a peer without pings may be silent, in ms; `Infinity` for no limit. */
  maxSilence: Millis;
  /** The last values that the peer advertised, within their limits; 0 for none. */
  askedInterval: Millis = 0;
  askedTimeout: Millis = 0;
  /** The page state that the peer sent last. */
  peerState: PeerState = 'visible';
  is: Facts = {};
  pings: OutstandingPings = new OutstandingPings();
  /** What the current input has ordered so far. */
  actions: HeartbeatAction[] = [];

  /** The time of the last input, and the same with its fraction. */
  now: Instant = 0;
  exactNow: Instant = 0;
  lastSent: Instant = 0;
  lastReceived: Instant = 0;
  /** Before the first ping: when the connection opened. */
  lastPing: Instant = 0;
  /** The length of this period: pingInterval minus jitter. */
  interval: Millis = 0;
  /** The last stall or change of timing: nothing counts as due before it. */
  afreshAt: Instant = 0;
  /** When to ping because a message was sent and nothing was received. */
  probeAt: Instant = NEVER;
  /** When the oldest ping was sent since which nothing at all was received, if there is one. */
  silentSince: Instant | undefined;
  /** When the answer to that ping is overdue, and when the peer times out. */
  suspectAt: Instant = NEVER;
  timeoutAt: Instant = NEVER;
  /** The latest `timeoutAt`, if bytes were queued ahead of that ping and may still be. */
  deferredTo: Instant = NEVER;
  /** The end of VERDICT_WAIT, while it runs. */
  verdictAt: Instant = NEVER;
  /** The number of stalls in a row. */
  stalls = 0;

  constructor(timing: Timing, memory?: PeerMemory) {
    this.timing = timing;
    this.pingInterval = timing.pingInterval;
    this.baseTimeout = timing.pingTimeout;
    this.timerSlack = timing.timerSlack;
    this.maxSilence = timing.maxSilence;
    this.memory = memory;
  }

  /** Moves the time on. It stands still if `now` runs backwards or is not a number. */
  advance(now: Instant): void {
    const runsOn = now > this.now && now < NEVER;
    this.exactNow = runsOn ? now : this.now;
    if (runsOn) this.now = Math.floor(now);
  }

  /**
   * Puts the timing in force, after this side or the peer has changed its own. What the peer asks for
   * replaces our interval, but never exceeds a `pingInterval` that was given, and can only make our
   * timeout longer. What is off stays off.
   */
  retime(): void {
    const { pingInterval, pingTimeout, maxInterval } = this.timing;
    const isAsked = this.askedInterval > 0 && pingInterval < NEVER;
    this.pingInterval = isAsked ? Math.min(this.askedInterval, maxInterval) : pingInterval;
    this.baseTimeout = Math.max(pingTimeout, this.askedTimeout);
  }

  /** Begins a period. A ping that the timing puts in the past is due now, and not late. */
  startPeriod(): void {
    this.interval = drawInterval(this.timing, this.pingInterval);
    this.afreshAt = this.now;
  }

  get silentFor(): Millis {
    return Math.max(0, this.now - this.lastReceived);
  }

  /** Clears the deadlines of the answer. */
  endSilence(): void {
    this.silentSince = undefined;
    this.suspectAt = this.timeoutAt = this.deferredTo = NEVER;
  }

  /** Forgets all pings sent. */
  forgetPings(): void {
    this.endSilence();
    this.verdictAt = this.probeAt = NEVER;
    this.pings = new OutstandingPings();
  }

  /** Forgets the connection, but not when something was last sent and received. */
  reset(is: Facts = {}): void {
    this.forgetPings();
    this.is = is;
    this.stalls = 0;
    this.peerState = 'visible';
  }

  /** Returns what the current input has ordered. */
  takeActions(): readonly HeartbeatAction[] {
    const { actions } = this;
    this.actions = [];
    return actions;
  }
}
