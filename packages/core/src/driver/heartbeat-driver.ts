import { resolveOption } from '../check-options.ts';
import { IS_DEVELOPMENT, IS_PAGE } from '../development.ts';
import {
  ConnectionClosedError,
  type HeartbeatError,
  InvalidOptionError,
  PingTimeoutError,
} from '../errors.ts';
import type { HeartbeatAction, HeartbeatStatus } from '../machine/actions.ts';
import { Heartbeat } from '../machine/heartbeat.ts';
import type { PeerMemory } from '../machine/peer-memory.ts';
import type { Timing } from '../machine/timing.ts';
import type { HeartbeatOptions } from '../options.ts';
import { type Beat, isBeatId } from '../protocol/beat.ts';
import type { Instant, Millis, Scheduler } from '../time.ts';
import { LazyTimer } from '../timers/lazy-timer.ts';
import type { HeartbeatEvent } from './heartbeat-events.ts';
import type { PingOptions } from './ping-options.ts';
import { PingPromises } from './ping-promises.ts';

/** The rule for `timeout` of `ping()`. */
const TIMEOUT = { type: 'duration', off: true } as const;

/** An order to send a ping. */
export type PingOrder = Extract<HeartbeatAction, { type: 'ping' }>;

/** What a {@link HeartbeatDriver} needs from its owner. No method may throw. */
export interface HeartbeatPort {
  sendPing(ping: PingOrder): void;
  sendPong(id: string | undefined): void;
  emit(...event: HeartbeatEvent): void;
  /** The bytes that the socket has not sent yet. A ping behind them gets more time. @default 0 */
  bufferedBytes?(): number;
  /**
   * Whether the application has paused the socket, so that nothing is read. @default false
   */
  isPaused?(): boolean;
  /**
   * Called when the timer fires, before the machine decides. Tell the driver here what no event
   * reports: the bytes of a message that is still arriving, or that the machine slept.
   */
  beforeTick?(): void;
}

/**
 * Drives one {@link Heartbeat} with a scheduler: sends its pings and pongs, sets its timer, emits
 * its events, and settles the promises of its pings.
 */
export class HeartbeatDriver {
  readonly heartbeat: Heartbeat;
  readonly #scheduler: Scheduler;
  readonly #port: HeartbeatPort;
  readonly #timer: LazyTimer;
  #promises: PingPromises | undefined; // undefined until the first awaited ping
  #emitted: HeartbeatStatus; // the status that was emitted last

  /**
   * Takes options, or a machine that is in use already: call {@link rearm} to set its timer.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown.
   */
  constructor(
    options: HeartbeatOptions | Timing | Heartbeat,
    scheduler: Scheduler,
    port: HeartbeatPort,
    memory?: PeerMemory,
  ) {
    const isNew = IS_PAGE || !(options instanceof Heartbeat);
    this.heartbeat = isNew ? new Heartbeat(options as Timing, memory) : options;
    this.#emitted = this.heartbeat.status;
    this.#scheduler = scheduler;
    this.#port = port;
    this.#timer = new LazyTimer(scheduler, () => this.tick());
  }

  /**
   * Starts the heartbeat of an open connection. If `asks` is false, no pings are sent, because the
   * subprotocol has no place for them.
   */
  open(asks = true): void {
    const actions = this.heartbeat.open(this.#scheduler.now(), asks);
    this.#perform([]); // emits `alive` first
    this.#perform(actions);
  }

  /** Records that any data was received, now or at an instant of the scheduler. */
  receive(at: Instant = this.#scheduler.now()): void {
    this.heartbeat.receive(at);
    if (this.heartbeat.status !== this.#emitted) this.#emitStatus();
  }

  /** Records that the application is about to send a message. */
  sent(): void {
    const now = this.#scheduler.now();
    if (this.heartbeat.isSilentTo(now)) this.#readBuffer(); // otherwise no ping is sent now
    const actions = this.heartbeat.sent(now);
    if (actions.length > 0) this.#perform(actions);
    else if (this.heartbeat.isToProbe) this.#timer.set(this.heartbeat.deadline);
  }

  /** Handles a received ping or pong. */
  receiveBeat(beat: Beat): void {
    const now = this.#scheduler.now();
    // Forces a new timer. A timer set while a message is handled starts a new chain, and browsers
    // throttle only long chains of timers.
    this.#timer.cancel();
    // Some runtimes read before they run overdue timers. Then no tick reports the stall.
    const lateBy = this.heartbeat.stallAt(now);
    if (lateBy > 0) this.#port.emit('stall', { lateBy });
    if (beat.type === 'ping') return this.#perform(this.heartbeat.receivePing(now, beat.id));
    const answer = this.heartbeat.receivePong(now, beat.id);
    if (answer !== undefined) this.#promises?.settle(answer.seq);
    this.#perform([]);
    if (answer === undefined || this.#isClosed) return;
    const { id, latency, sampled } = answer;
    this.#port.emit('pong', { id, latency, sampled });
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
    const timeout =
      resolveOption('timeout', TIMEOUT, options.timeout) ?? this.heartbeat.pingTimeout;
    this.#checkId(id);
    if (signal?.aborted) throw signal.reason;
    this.#readBuffer();
    const actions = this.heartbeat.ping(this.#scheduler.now(), id);
    const [order] = actions;
    if (order?.type !== 'ping') throw new ConnectionClosedError();
    this.#promises ??= new PingPromises(this.#scheduler);
    const pong = this.#promises.wait(order.seq, timeout, signal, () => {
      return new PingTimeoutError(timeout, this.#silentFor);
    });
    this.#perform(actions);
    return pong;
  }

  /** Pings now through `send`, without a promise: an unresponsive peer then takes no memory. */
  pingWith(send: (ping: PingOrder) => void, id?: string): void {
    this.#readBuffer();
    for (const order of this.heartbeat.ping(this.#scheduler.now(), id)) {
      send(order as PingOrder); // a ping is all that it orders
      this.#port.emit('ping', { id: (order as PingOrder).id });
    }
    this.#perform([]);
  }

  /** Pings now because the link may be dead: see {@link Heartbeat.probe}. */
  probe(shortTimeout: Millis): void {
    this.#readBuffer();
    this.#perform(this.heartbeat.probe(this.#scheduler.now(), shortTimeout));
  }

  /** Handles what is due. Does nothing if it is early. */
  tick(): void {
    this.#port.beforeTick?.();
    this.#readBuffer();
    this.#perform(this.heartbeat.tick(this.#scheduler.now(), !IS_PAGE && this.#port.isPaused?.()));
  }

  /** Sets the timer again after the peer changed its timing or page state. */
  rearm(): void {
    this.#timer.cancel();
    this.#perform([]);
  }

  /**
   * Stops all deadlines, because this side is about to stop running: see {@link Heartbeat.suspend}.
   */
  suspend(): void {
    this.heartbeat.suspend(this.#scheduler.now());
    this.#timer.cancel();
  }

  /** Ends {@link suspend}: see {@link Heartbeat.resume}. */
  resume(): void {
    this.#readBuffer();
    this.#perform(this.heartbeat.resume(this.#scheduler.now()));
  }

  /**
   * Ends the heartbeat, because the connection closed or the heartbeat was detached. Rejects all
   * awaited pings with `error`. Returns whether the peer refused the first ping: see
   * {@link Heartbeat.close}.
   */
  close(error: HeartbeatError, byPeer = false): boolean {
    const isRefusal = this.heartbeat.close(this.#scheduler.now(), byPeer);
    this.#emitted = 'idle';
    this.#timer.cancel();
    this.#promises?.rejectAll(error);
    return isRefusal;
  }

  /** Whether a `ping()` is awaited. */
  get isAwaited(): boolean {
    return this.#promises?.hasWaiters === true;
  }

  /** Cancels the timer, because something else will drive the machine. */
  release(): void {
    this.#timer.cancel();
  }

  /** Checked between two actions too, because a listener may close the connection. */
  get #isClosed(): boolean {
    return this.heartbeat.status === 'idle';
  }

  get #silentFor(): Millis {
    return this.#scheduler.now() - this.heartbeat.lastReceived;
  }

  #checkId(id: string | undefined): void {
    if (id === undefined) return;
    if (IS_DEVELOPMENT && !isBeatId(id))
      throw new InvalidOptionError('id', '1 to 16 of A-Z, a-z, 0-9, _ and -', id);
    // The pongs of two pings with the same id look the same.
    if (this.heartbeat.isOutstanding(id))
      throw new InvalidOptionError('id', 'an id that no unanswered ping has', id);
  }

  #readBuffer(): void {
    this.heartbeat.buffered(this.#port.bufferedBytes?.() ?? 0);
  }

  #perform(actions: readonly HeartbeatAction[]): void {
    for (const action of actions) {
      if (this.#isClosed) return;
      switch (action.type) {
        case 'ping':
          this.#port.sendPing(action);
          this.#port.emit('ping', { id: action.id });
          break;
        case 'pong':
          this.#port.sendPong(action.id);
          break;
        case 'timeout':
          return this.#end(action);
        default: {
          const { type, ...detail } = action; // the others are events
          this.#port.emit(...([type, detail] as HeartbeatEvent));
        }
      }
    }
    if (this.heartbeat.status !== this.#emitted) this.#emitStatus();
    this.#timer.set(this.heartbeat.deadline);
  }

  #emitStatus(): void {
    const { status, latency } = this.heartbeat;
    this.#emitted = status;
    const detail = status === 'alive' ? { latency } : { silentFor: this.#silentFor };
    this.#port.emit(...([status, detail] as HeartbeatEvent));
  }

  #end({ reason, silentFor, pingTimeout }: Extract<HeartbeatAction, { type: 'timeout' }>): void {
    const error = new PingTimeoutError(pingTimeout, silentFor, reason);
    this.#emitted = 'dead';
    this.#timer.cancel();
    this.#promises?.rejectAll(error);
    this.#port.emit('dead', { reason, silentFor, error });
  }
}
