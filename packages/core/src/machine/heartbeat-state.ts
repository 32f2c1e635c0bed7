import type { Instant, Millis } from '../time.ts';
import type { HeartbeatAction } from './actions.ts';
import type { AnswerDeadline } from './answer-deadline.ts';
import { OutstandingPings } from './outstanding-pings.ts';
import type { PeerMemory } from './peer-memory.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { Suspicion } from './suspicion.ts';
import { drawInterval, type Timing, timingInForce } from './timing.ts';

export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** What is true of a connection. Nothing is when it begins. */
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
  suspicion: Suspicion = new Suspicion();
  /** The timing in force. */
  timing: Timing;
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
  /** Exists while a ping was sent and nothing at all was received since. */
  silence: AnswerDeadline | undefined;
  /** The end of VERDICT_WAIT, while it runs. */
  verdictAt: Instant = NEVER;
  /** The number of stalls in a row. */
  stalls = 0;

  constructor(timing: Timing, memory?: PeerMemory) {
    this.timing = timing;
    this.memory = memory;
  }

  /** Moves the time on. It stands still if `now` runs backwards or is not a number. */
  advance(now: Instant): void {
    const runsOn = now > this.now && now < NEVER;
    this.exactNow = runsOn ? now : this.now;
    if (runsOn) this.now = Math.floor(now);
  }

  /** The timing of this side. The one in force may differ from it. */
  get base(): Timing {
    return this.timing.base ?? this.timing;
  }

  /**
   * Changes the timing in force. If it differs, what the new timing would have made due in the past
   * is due now, and does not count as late.
   */
  retime(timing: Timing): void {
    const { pingInterval, pingTimeout, peerState } = this.timing;
    this.timing = timing;
    const isSame = pingInterval === timing.pingInterval && pingTimeout === timing.pingTimeout;
    if (isSame && peerState === timing.peerState) return;
    this.interval = drawInterval(timing);
    this.afreshAt = this.now;
  }

  get silentFor(): Millis {
    return Math.max(0, this.now - this.lastReceived);
  }

  /** Forgets all pings sent. */
  forgetPings(): void {
    this.silence = undefined;
    this.verdictAt = this.probeAt = NEVER;
    this.pings = new OutstandingPings();
  }

  /** Forgets the connection, but not when something was last sent and received. */
  reset(is: Facts = {}): void {
    this.forgetPings();
    this.is = is;
    this.stalls = 0;
    this.timing = timingInForce(this.base, this.timing.advertised, 'visible');
  }

  /** Returns what the current input has ordered. */
  takeActions(): readonly HeartbeatAction[] {
    const { actions } = this;
    this.actions = [];
    return actions;
  }
}
