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

/** What a heartbeat tells, by name. A status and its event have the same name. */
export interface HeartbeatEvents {
  /** A ping was sent. A routine ping has no id. */
  readonly ping: { readonly id: string | undefined };
  /**
   * Its pong came. `sampled` is false if the latency is not the link's: we were stalled meanwhile, or
   * it is not certain which ping this pong answers.
   */
  readonly pong: {
    readonly id: string | undefined;
    readonly latency: Millis;
    readonly sampled: boolean;
  };
  /** The connection is open, or the peer was heard after `suspect`. */
  readonly alive: { readonly latency: Millis | undefined };
  /** An answer is overdue: a page may warn. */
  readonly suspect: { readonly silentFor: Millis };
  /** Given up: the connection is being terminated. */
  readonly dead: {
    readonly reason: TimeoutReason;
    readonly silentFor: Millis;
    readonly error: PingTimeoutError;
  };
  /** The peer answers no pings, so there are no more: see `maxSilence`. */
  readonly unanswered: { readonly silentFor: Millis; readonly reason: UnansweredReason };
  /** We ourselves did not run for a while; the peer is asked anew before it is judged. */
  readonly stall: { readonly lateBy: Millis };
}

/**
 * Why a connection has no pings: the peer left them unanswered, it twice closed right after the
 * first, or the subprotocol is one that is known to have no place for them.
 */
export type UnansweredReason = 'silent' | 'refused' | 'foreign-protocol';

/** What wakes a {@link Pacer}, by `tick`. Once too often does no harm. */
export interface Wake {
  /** At `due`, or earlier. `Infinity`: not at all. */
  set(due: Instant): void;
  /** Not at all, and what is set next is set afresh, not lazily. */
  cancel(): void;
}

/**
 * Drives one {@link Heartbeat} with a scheduler: performs its orders, sets its one timer, tells its
 * news, and keeps the promises of its pings. It knows no socket; what extends it does.
 *
 * To be extended where there are very many: an object beside each would take 40 bytes. Elsewhere
 * `HeartbeatDriver` is one.
 */
export abstract class Pacer {
  readonly heartbeat: Heartbeat;
  #pending: PingPromises | undefined; // from the first on that somebody waits for
  #told: HeartbeatStatus = 'idle';

  /** @throws {InvalidOptionError} if an option is out of its range or unknown. */
  constructor(options: HeartbeatOptions | Timing, memory?: PeerMemory) {
    this.heartbeat = new Heartbeat(options, memory);
  }

  // What it needs of what extends it. None of it throws.

  protected abstract readonly scheduler: Scheduler;
  protected abstract readonly alarm: Wake;
  protected abstract sendPing(ping: PingOrder): void;
  protected abstract sendPong(id: string | undefined): void;
  protected abstract emit<Name extends keyof HeartbeatEvents>(
    name: Name,
    event: HeartbeatEvents[Name],
  ): void;
  /** Bytes that wait to leave, where the runtime tells: a ping behind them gets more time. */
  protected buffered(): number {
    return 0;
  }

  /** Whether nothing is read at present, because the application has paused the socket. */
  protected isPaused(): boolean {
    return false;
  }

  /** The connection is open; `asks` is false where the peer's protocol has no place for our pings. */
  open(asks = true): void {
    this.heartbeat.open(this.scheduler.now(), asks);
    this.#perform([]);
    if (!this.heartbeat.isMuted) return;
    // Known beforehand; nobody shall believe that this connection is watched over.
    const known = this.heartbeat.isRefused ? 'refused' : 'silent';
    this.emit('unanswered', { silentFor: 0, reason: asks ? known : 'foreign-protocol' });
  }

  /** Anything was received. */
  receive(): void {
    this.heartbeat.receive(this.scheduler.now());
    if (this.heartbeat.status !== this.#told) this.#tellStatus();
  }

  /** The application is about to send something. */
  sent(): void {
    const now = this.scheduler.now();
    if (this.heartbeat.isSilentTo(now)) this.#lookAtBuffer(); // else it is not worth a look
    const actions = this.heartbeat.sent(now);
    if (actions.length > 0) this.#perform(actions);
    else if (this.heartbeat.isToProbe) this.alarm.set(this.heartbeat.deadline);
  }

  /** A ping or pong was received. */
  receiveBeat(beat: Beat): void {
    const now = this.scheduler.now();
    // Afresh, not lazily: a timer set while a message is handled begins a new chain, and browsers
    // slow down only timers at the end of a long one.
    this.alarm.cancel();
    // Some runtimes read what has come before they run what is overdue: no tick will tell of it then.
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
   * Pings now and waits for the pong.
   *
   * Rejects with {@link PingTimeoutError}, {@link ConnectionClosedError}, the reason of the signal,
   * or {@link InvalidOptionError} if `timeout` or `id` is not allowed.
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

  /** Pings now by `send`, and nobody waits for the pong: a peer that sends none costs no memory. */
  notify(send: (ping: PingOrder) => void): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.ping(this.scheduler.now()), send);
  }

  /** A hint says that the link may be ill: see {@link Heartbeat.probe}. */
  probe(shortTimeout: Millis, send?: (ping: PingOrder) => void): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.probe(this.scheduler.now(), shortTimeout), send);
  }

  /** The peer advertised other timing, or said what its page is: the deadline may be another. */
  retimed(): void {
    this.alarm.cancel();
    this.#perform([]);
  }

  /** Time has passed. Early or repeated, it does nothing. */
  tick(): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.tick(this.scheduler.now(), this.isPaused()));
  }

  /** We are not going to run for a while: see {@link Heartbeat.suspend}. */
  suspend(): void {
    this.heartbeat.suspend(this.scheduler.now());
    this.alarm.cancel();
  }

  /** We run again: see {@link Heartbeat.resume}. */
  resume(): void {
    this.#lookAtBuffer();
    this.#perform(this.heartbeat.resume(this.scheduler.now()));
  }

  /**
   * The connection has ended, or is no longer watched: whoever waits for a pong is told why. Returns
   * whether the peer refused our first ping: see {@link Heartbeat.close}.
   */
  close(error: HeartbeatError, byPeer = false): boolean {
    const isRefusal = this.heartbeat.close(this.scheduler.now(), byPeer);
    this.#told = 'idle';
    this.alarm.cancel();
    this.#pending?.rejectAll(error);
    return isRefusal;
  }

  /** Also asked between two orders: a listener may close us. */
  get #isClosed(): boolean {
    return this.heartbeat.status === 'idle';
  }

  get #silentFor(): Millis {
    return this.scheduler.now() - this.heartbeat.lastReceived;
  }

  #checkId(id: unknown): void {
    if (id === undefined) return;
    if (!isBeatId(id)) throw new InvalidOptionError('id', '1 to 16 of A-Z, a-z, 0-9, _ and -', id);
    // Whose pong the next one is could not be told.
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
        default: // 'timeout': what `end` takes says that no other is left
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
