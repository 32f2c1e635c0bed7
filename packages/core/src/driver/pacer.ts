import {
  ConnectionClosedError,
  type HeartbeatError,
  InvalidOptionError,
  PingTimeoutError,
} from '../errors.ts';
import type { HeartbeatAction, HeartbeatStatus, TimeoutReason } from '../machine/actions.ts';
import { Heartbeat } from '../machine/heartbeat.ts';
import type { PeerMemory } from '../machine/peer-memory.ts';
import type { Timing } from '../machine/timing.ts';
import { durationOrOff, type HeartbeatOptions } from '../options.ts';
import { type Beat, isBeatId } from '../protocol/beat.ts';
import type { Instant, Millis, Scheduler } from '../time.ts';
import { type PingOptions, PingPromises } from './ping-promises.ts';

/** An order to send a ping. */
export type PingOrder = Extract<HeartbeatAction, { type: 'ping' }>;

type TimeoutNews = Extract<HeartbeatAction, { type: 'timeout' }>;

/**
 * The events of a heartbeat, by name. A status and its event have the same name. All durations are
 * in ms.
 */
export interface HeartbeatEvents {
  /** A ping was sent. Most scheduled pings have no id. */
  readonly ping: { readonly id: string | undefined };
  /**
   * A pong was received. `sampled` is false if the latency may be wrong: this side was stalled, or
   * it is not certain which ping the pong answers.
   */
  readonly pong: {
    readonly id: string | undefined;
    readonly latency: Millis;
    readonly sampled: boolean;
  };
  /** The connection opened, or data was received after `suspect`. */
  readonly alive: { readonly latency: Millis | undefined };
  /** An answer is overdue. A page can show a warning. */
  readonly suspect: { readonly silentFor: Millis };
  /** The peer has timed out. The connection is being terminated. */
  readonly dead: {
    readonly reason: TimeoutReason;
    readonly silentFor: Millis;
    readonly error: PingTimeoutError;
  };
  /** The peer does not answer pings, so no more are sent: see `maxSilence`. */
  readonly unanswered: { readonly silentFor: Millis; readonly reason: UnansweredReason };
  /** This side did not run for a while. The peer is pinged again before it is judged. */
  readonly stall: { readonly lateBy: Millis };
}

/**
 * Why a connection has no pings. `silent`: the peer did not answer them. `refused`: the peer closed
 * two connections in a row right after the first ping. `foreign-protocol`: the subprotocol has no
 * place for pings.
 */
export type UnansweredReason = 'silent' | 'refused' | 'foreign-protocol';

/** The timer of a {@link Pacer}. Calls `tick`; an extra call does no harm. */
export interface Wake {
  /** Calls `tick` at `due` or earlier; `Infinity` for never. */
  set(due: Instant): void;
  /** Cancels the timer. The next `set` creates a new timer instead of reusing the current one. */
  cancel(): void;
}

/**
 * Drives one {@link Heartbeat} with a scheduler: sends its pings and pongs, sets its timer, emits
 * its events, and settles the promises of its pings. Subclasses connect it to a socket.
 *
 * Extend it if there are very many connections, because a separate object for each takes 40 bytes.
 * Otherwise use {@link HeartbeatDriver}.
 */
export abstract class Pacer {
  readonly heartbeat: Heartbeat;
  #pending: PingPromises | undefined; // undefined until the first awaited ping
  #told: HeartbeatStatus = 'idle';

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(options: HeartbeatOptions | Timing, memory?: PeerMemory) {
    this.heartbeat = new Heartbeat(options, memory);
  }

  // What a subclass provides. No method may throw.

  protected abstract readonly scheduler: Scheduler;
  protected abstract readonly alarm: Wake;
  protected abstract sendPing(ping: PingOrder): void;
  protected abstract sendPong(id: string | undefined): void;
  protected abstract emit<Name extends keyof HeartbeatEvents>(
    name: Name,
    event: HeartbeatEvents[Name],
  ): void;
  /** The bytes that the socket has not sent yet. A ping behind them gets more time. */
  protected buffered(): number {
    return 0;
  }

  /** Whether the application has paused the socket, so that nothing is read. */
  protected isPaused(): boolean {
    return false;
  }

  /**
   * Starts the heartbeat of an open connection. If `asks` is false, no pings are sent, because the
   * subprotocol has no place for them.
   */
  open(asks = true): void {
    this.heartbeat.open(this.scheduler.now(), asks);
    this.#perform([]);
    if (!this.heartbeat.isMuted) return;
    // Emitted at once, so that the application knows that this connection has no heartbeat.
    const known = this.heartbeat.isRefused ? 'refused' : 'silent';
    this.emit('unanswered', { silentFor: 0, reason: asks ? known : 'foreign-protocol' });
  }

  /** Records that any data was received. */
  receive(): void {
    this.heartbeat.receive(this.scheduler.now());
    if (this.heartbeat.status !== this.#told) this.#tellStatus();
  }

  /** Records that the application is about to send a message. */
  sent(): void {
    const now = this.scheduler.now();
    if (this.heartbeat.isSilentTo(now)) this.#lookAtBuffer(); // otherwise no ping is sent now
    const actions = this.heartbeat.sent(now);
    if (actions.length > 0) this.#perform(actions);
    else if (this.heartbeat.isToProbe) this.alarm.set(this.heartbeat.deadline);
  }

  /** Handles a received ping or pong. */
  receiveBeat(beat: Beat): void {
    const now = this.scheduler.now();
    // Forces a new timer. A timer set while a message is handled starts a new chain, and browsers
    // throttle only long chains of timers.
    this.alarm.cancel();
    // Some runtimes read before they run overdue timers. Then no tick reports the stall.
    const lateBy = this.heartbeat.stallAt(now);
    if (lateBy > 0) this.emit('stall', { lateBy });
    if (beat.type === 'ping') return this.#perform(this.heartbeat.receivePing(now, beat.id));
    const answer = this.heartbeat.receivePong(now, beat.id);
    if (answer !== undefined) this.#pending?.settle(answer.seq);
    this.#perform([]);
    if (answer === undefined || this.#isClosed) return;
    const { id, latency, sampled } = answer;
    this.emit('pong', { id, latency, sampled });
  }

  /**
   * Pings now and waits for the pong. Resolves to the latency in ms.
   *
   * Rejects with {@link PingTimeoutError} after `timeout`, with {@link ConnectionClosedError} if
   * the connection is not open or closes, with the reason of the signal if it is aborted, or with
   * {@link InvalidOptionError} if `timeout` or `id` is invalid.
   */
  async ping(options: PingOptions = {}): Promise<Millis> {
    const { id, signal } = options;
    const timeout = durationOrOff('timeout', options.timeout, this.heartbeat.pingTimeout);
    this.#checkId(id);
    if (signal?.aborted) throw signal.reason;
    this.#lookAtBuffer();
    const actions = this.heartbeat.ping(this.scheduler.now(), id);
    const [order] = actions;
    if (order?.type !== 'ping') throw new ConnectionClosedError();
    this.#pending ??= new PingPromises(this.scheduler);
    const pong = this.#pending.wait(order.seq, timeout, signal, () => {
      return new PingTimeoutError(timeout, this.#silentFor);
    });
    this.#perform(actions);
    return pong;
  }

  /** Pings now through `send`, without a promise: an unresponsive peer then takes no memory. */
  notify(send: (ping: PingOrder) => void): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.ping(this.scheduler.now()), send);
  }

  /** Pings now because the link may be dead: see {@link Heartbeat.probe}. */
  probe(shortTimeout: Millis, send?: (ping: PingOrder) => void): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.probe(this.scheduler.now(), shortTimeout), send);
  }

  /** Sets the timer again after the peer changed its timing or page state. */
  retimed(): void {
    this.alarm.cancel();
    this.#perform([]);
  }

  /** Handles what is due. An early or repeated call does nothing. */
  tick(): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.tick(this.scheduler.now(), this.isPaused()));
  }

  /**
   * Stops all deadlines, because this side is about to stop running: see {@link Heartbeat.suspend}.
   */
  suspend(): void {
    this.heartbeat.suspend(this.scheduler.now());
    this.alarm.cancel();
  }

  /** Ends {@link suspend}: see {@link Heartbeat.resume}. */
  resume(): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.resume(this.scheduler.now()));
  }

  /**
   * Ends the heartbeat, because the connection closed or the heartbeat was detached. Rejects all
   * awaited pings with `error`. Returns whether the peer refused the first ping: see
   * {@link Heartbeat.close}.
   */
  close(error: HeartbeatError, byPeer = false): boolean {
    const isRefusal = this.heartbeat.close(this.scheduler.now(), byPeer);
    this.#told = 'idle';
    this.alarm.cancel();
    this.#pending?.rejectAll(error);
    return isRefusal;
  }

  /** Checked between two actions too, because a listener may close the connection. */
  get #isClosed(): boolean {
    return this.heartbeat.status === 'idle';
  }

  get #silentFor(): Millis {
    return this.scheduler.now() - this.heartbeat.lastReceived;
  }

  #checkId(id: unknown): void {
    if (id === undefined) return;
    if (!isBeatId(id)) throw new InvalidOptionError('id', '1 to 16 of A-Z, a-z, 0-9, _ and -', id);
    // The pongs of two pings with the same id look the same.
    if (this.heartbeat.isOutstanding(id))
      throw new InvalidOptionError('id', 'of no ping in flight', id);
  }

  #lookAtBuffer(): void {
    this.heartbeat.buffered(this.buffered());
  }

  #perform(actions: readonly HeartbeatAction[], send?: (ping: PingOrder) => void): void {
    for (const action of actions) {
      if (this.#isClosed) return;
      switch (action.type) {
        case 'ping':
          if (send === undefined) this.sendPing(action);
          else send(action);
          this.emit('ping', { id: action.id });
          break;
        case 'pong':
          this.sendPong(action.id);
          break;
        case 'stall':
          this.emit('stall', { lateBy: action.lateBy });
          break;
        case 'unanswered':
          this.emit('unanswered', { silentFor: action.silentFor, reason: 'silent' });
          break;
        default: // 'timeout': the type of the parameter of `#end` proves that no other is left
          return this.#end(action);
      }
    }
    if (this.heartbeat.status !== this.#told) this.#tellStatus();
    this.alarm.set(this.heartbeat.deadline);
  }

  #tellStatus(): void {
    const { status, latency } = this.heartbeat;
    this.#told = status;
    if (status === 'alive') this.emit('alive', { latency });
    else this.emit('suspect', { silentFor: this.#silentFor });
  }

  #end({ reason, silentFor, pingTimeout }: TimeoutNews): void {
    const error = new PingTimeoutError(pingTimeout, silentFor);
    this.#told = 'dead';
    this.alarm.cancel();
    this.#pending?.rejectAll(error);
    this.emit('dead', { reason, silentFor, error });
  }
}
