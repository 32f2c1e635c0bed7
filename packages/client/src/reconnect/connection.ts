import {
  CloseCode,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PeerMemory,
  type SocketEvent,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import { SocketHeartbeat } from '../attach.ts';
import { type CloseReason, type CloseRecord, reasonOf } from './close-record.ts';
import { HeldMessages } from './held-messages.ts';
import type { ReadySocket, ResolvedReconnectOptions } from './options.ts';
import { terminate } from './terminate.ts';

/** Receives what happens on a connection. Nothing is called after `ended`. */
export interface ConnectionOwner {
  opened(): void;
  received(event: SocketEvent): void;
  failed(error: unknown): void;
  ended(record: CloseRecord): void;
  beat<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void;
}

/** Returns a function that dials, or a promise of it. The signal is aborted if it is not needed. */
export type Prepare = (signal: AbortSignal) => (() => WebSocketLike) | Promise<() => WebSocketLike>;

/** The options that a connection uses. */
export type ConnectionOptions = Pick<
  ResolvedReconnectOptions,
  'heartbeat' | 'scheduler' | 'backoff'
> &
  Partial<ResolvedReconnectOptions>;

/**
 * `open`: from the `open` event until the owner calls `makeReady`. `readying`: while the `ready`
 * function of the application runs. `failing`: `ready` failed, and the peer may still send a close
 * code. `leaving`: the user has called `close()`.
 */
type Phase = 'dialling' | 'open' | 'readying' | 'failing' | 'ready' | 'leaving' | 'ended';

const BEATS = ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall', 'unanswered'] as const;

/** The reasons that are reported with close code 3008, and the text of their `close` event. */
const FAILURES: Partial<Record<CloseReason, string>> = {
  'connect-timeout': '',
  'ready-timeout': '',
  replaced: 'replaced',
  unanswered: 'unanswered',
  reconnect: 'reconnect',
};

/** How long to wait for the Close frame of the peer: on a dead link it never comes. */
export const CLOSE_WAIT: Millis = 1_000;

/**
 * The time between two checks of a connection that has reached `maxAge` but is suspect or still
 * sending. Also how late a timer may be before it is a stall, and the extra time after a stall.
 */
const PATIENCE: Millis = 1_000;

/** The largest fraction that is randomly subtracted from `maxAge`, to spread the reconnections. */
const AGE_JITTER = 0.1;

/**
 * One connection of a {@link ReconnectingWebSocket} with its socket and heartbeat, from the request
 * for the address to the end. Events of the socket after the end are ignored.
 */
export class Connection {
  /** Undefined until the address is known. */
  socket: WebSocketLike | undefined;
  heartbeat: SocketHeartbeat | undefined;
  /** Changes when a standby takes over. */
  owner: ConnectionOwner;
  readonly #options: ConnectionOptions;
  readonly #memory: PeerMemory;
  readonly #session: string | undefined;
  readonly #asking: AbortController = new AbortController();
  readonly #listeners: [type: string, listener: (event: SocketEvent) => void][];
  /**
   * Events of the heartbeat that came before our own `open` listener; they are emitted after it.
   */
  readonly #early: (() => void)[] = [];
  #phase: Phase = 'dialling';
  #timer: Timer | undefined;
  #held: HeldMessages | undefined; // while messages wait to be dispatched
  #openedAt: Instant | undefined;
  #readyAt: Instant | undefined;
  #answered = false;
  /** What happened since the last pong. */
  #since: { missedPings: number; lateBy?: Millis } = { missedPings: 0 };

  /** @throws what the class of the socket throws, if the address is known at once. */
  constructor(
    prepare: Prepare,
    options: ConnectionOptions,
    memory: PeerMemory,
    owner: ConnectionOwner,
    session?: string,
  ) {
    this.#options = options;
    this.#memory = memory;
    this.#session = session;
    this.owner = owner;
    this.#listeners = [
      ['open', () => this.#open()],
      ['message', (event) => this.#received(event)],
      ['error', (event) => this.#failed(event)],
      ['close', (event) => this.#closed(event)],
    ];
    const prepared = prepare(this.#asking.signal);
    if (typeof prepared === 'function') this.#dial(prepared);
    else {
      prepared
        .then((dial) => this.#phase === 'dialling' && this.#dial(dial))
        .catch((error) => this.#fail('abnormal', error));
    }
    this.#limit(options.connectTimeout, 'connect-timeout');
  }

  get isOpen(): boolean {
    return this.#openedAt !== undefined && this.#phase !== 'ended';
  }

  /** Whether messages sent now belong to this connection only, and go before the queue. */
  get isOpening(): boolean {
    return this.#phase === 'open';
  }

  /** Whether the peer answered a ping and the connection was ready for at least `stableFor` ms. */
  isStable(stableFor: Millis): boolean {
    if (this.#readyAt === undefined || !this.#answered) return false;
    return this.#options.scheduler.now() - this.#readyAt >= stableFor;
  }

  /**
   * Runs the `ready` function of the application, if there is one, and then calls `done`. Messages
   * `held` while this was the standby are dispatched as if they came now; `ready` sees them too.
   */
  makeReady(done: () => void, held: readonly SocketEvent[] = []): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'readying';
    const { ready, readyTimeout, scheduler } = this.#options;
    const becomeReady = () => {
      this.#held?.flush();
      if (this.#phase !== 'readying') return;
      this.#timer?.cancel();
      this.#phase = 'ready';
      this.#readyAt = this.#options.scheduler.now();
      this.#age();
      done();
    };
    if (ready === undefined) {
      becomeReady();
      for (const event of held) this.owner.received(event);
      return;
    }
    this.#limit(readyTimeout, 'ready-timeout');
    const socket = this.socket as WebSocketLike & ReadySocket;
    if (held.length > 0) {
      const receive = (event: SocketEvent) => this.owner.received(event);
      this.#held = new HeldMessages(socket, held, scheduler, receive);
    }
    new Promise((resolve) => resolve(ready(socket, { signal: this.#asking.signal }))).then(
      becomeReady,
      (error) => this.#notReady(error),
    );
  }

  /** Closes the connection for the user. Waits up to 1 s for the closing handshake. */
  close(...end: [code?: number, reason?: string]): void {
    this.#phase = 'leaving';
    this.#asking.abort();
    const wasOpen = this.#openedAt !== undefined;
    if (wasOpen) this.socket?.close(...end);
    this.#limit(wasOpen ? CLOSE_WAIT : 0, 'user');
  }

  /**
   * Ends the connection now, without waiting for the socket to close, and terminates the socket.
   */
  abandon(reason: CloseReason): void {
    const { socket } = this;
    const text = FAILURES[reason];
    const code = text === undefined ? CloseCode.Abnormal : CloseCode.Timeout;
    this.#end(reason, { type: 'close', code, reason: text ?? '' });
    if (socket === undefined) return;
    // The link may be alive after all. Then the server receives a normal close code.
    const isReplaced = reason === 'replaced' || reason === 'unanswered';
    if (isReplaced) socket.close(CloseCode.Normal, 'replaced');
    terminate(socket, text === undefined ? '' : reason.replace('-', ' '));
  }

  /**
   * Ends a healthy connection that is not needed now. Its socket completes the closing handshake.
   */
  discard(reason: CloseReason = 'user'): void {
    const { socket } = this;
    this.#end(reason, { type: 'close', code: CloseCode.Normal, reason });
    socket?.addEventListener('error', () => {}); // `ws` throws errors that have no listener
    socket?.close(CloseCode.Normal, reason);
  }

  #dial(dial: () => WebSocketLike): void {
    const socket = dial();
    // The heartbeat is attached first, so that it hides pings and pongs from our listeners.
    const options = { ...this.#options.heartbeat, memory: this.#memory };
    this.heartbeat = new SocketHeartbeat(socket, options, this.#session);
    this.socket = socket;
    for (const [type, listener] of this.#listeners) socket.addEventListener(type, listener);
    for (const name of BEATS) this.#forward(this.heartbeat, name);
  }

  #open(): void {
    if (this.#phase !== 'dialling') return; // already closed
    this.#timer?.cancel();
    this.#phase = 'open';
    this.#openedAt = this.#options.scheduler.now();
    this.owner.opened();
    for (const tell of this.#early.splice(0)) if (this.isOpen) tell();
  }

  #received(event: SocketEvent): void {
    if (this.#held?.isEmpty === false) this.#held.add(event);
    else this.owner.received(event);
  }

  /** Handles `error`. Before `open` it is the end: undici 6 (Node 22) emits no `close` after it. */
  #failed(event: SocketEvent & { readonly error?: unknown }): void {
    this.owner.failed(event.error);
    if (this.#openedAt === undefined) this.abandon('abnormal');
  }

  #fail(reason: CloseReason, error: unknown): void {
    if (this.#phase !== 'dialling') return; // already ended
    this.owner.failed(error);
    this.abandon(reason);
  }

  /** Waits before it ends the connection: after a refused login, many servers send a close code. */
  #notReady(error: unknown): void {
    if (this.#phase !== 'readying') return;
    this.#phase = 'failing';
    this.#limit(CLOSE_WAIT, 'not-ready');
    this.owner.failed(error);
  }

  #closed(event: SocketEvent): void {
    this.#held?.flush(); // the peer sent them before it closed
    this.#end(this.#reasonOf(event.code ?? CloseCode.Abnormal), event);
  }

  #reasonOf(code: number): CloseReason {
    if (this.#phase === 'leaving') return 'user';
    const reason = reasonOf(code, this.#options.isFatal);
    if (this.#phase === 'failing') return reason === 'fatal' ? reason : 'not-ready';
    // The peer refused the ping, not the application, so the code is not fatal.
    return reason === 'fatal' && this.heartbeat?.isRefused ? 'peer-close' : reason;
  }

  #forward<Name extends keyof HeartbeatEvents>(heartbeat: SocketHeartbeat, name: Name): void {
    heartbeat.on(name, (event) => {
      if (name === 'ping') this.#since.missedPings += 1;
      if (name === 'stall') Object.assign(this.#since, event);
      if (name === 'pong') {
        this.#answered = true;
        this.#since = { missedPings: 0 };
      }
      const tell = () => this.owner.beat(name, event);
      if (this.#openedAt === undefined) return this.#early.push(tell);
      tell();
      if (name === 'dead') {
        const { reason } = event as HeartbeatEvents['dead'];
        this.#end(reason, { type: 'close', code: CloseCode.Timeout });
      }
    });
  }

  /** Waits for the age at which the connection is replaced. */
  #age(): void {
    const { maxAge = Number.POSITIVE_INFINITY, backoff } = this.#options;
    const age = maxAge * (1 - AGE_JITTER * backoff.random());
    this.#wait((this.#openedAt as Instant) + age, () => this.#rotate());
  }

  #rotate(): void {
    const { bufferedAmount = 0 } = this.socket as { bufferedAmount?: number };
    const isBusy = bufferedAmount > 0 || this.heartbeat?.status === 'suspect';
    const { scheduler } = this.#options;
    if (isBusy) this.#wait(scheduler.now() + PATIENCE, () => this.#rotate());
    else this.discard('rotation');
  }

  #limit(wait: Millis = Number.POSITIVE_INFINITY, reason: CloseReason): void {
    this.#wait(this.#options.scheduler.now() + wait, () => this.abandon(reason));
  }

  /** Sets the only timer of the connection. */
  #wait(due: Instant, act: () => void): void {
    const { scheduler } = this.#options;
    this.#timer?.cancel();
    if (due === Number.POSITIVE_INFINITY) return;
    this.#timer = scheduler.at(due, () => {
      const now = scheduler.now();
      if (now <= due + PATIENCE) act();
      else this.#timer = scheduler.at(now + PATIENCE, act); // a stall: read what has arrived first
    });
  }

  #end(reason: CloseReason, event: SocketEvent): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#timer?.cancel();
    this.#asking.abort();
    this.#held?.cancel();
    const text = String(event.reason ?? '');
    const { heartbeat, socket } = this;
    const { latency, httpStatus: status, retryAfter = readRetryAfter(text) } = heartbeat ?? {};
    heartbeat?.detach();
    for (const [type, listener] of this.#listeners) socket?.removeEventListener(type, listener);
    const wasOpen = this.#openedAt !== undefined;
    const now = this.#options.scheduler.now();
    this.owner.ended({
      reason,
      code: event.code ?? CloseCode.Abnormal,
      text,
      wasClean: event.wasClean === true,
      wasOpen,
      latency,
      retryAfter,
      ...(status !== undefined && { status }),
      ...(wasOpen && {
        ...this.#since,
        age: now - (this.#openedAt as Instant),
        silentFor: now - (heartbeat as SocketHeartbeat).lastReceived,
        quietFor: now - (heartbeat as SocketHeartbeat).lastSent,
        bufferedAmount: (socket as { bufferedAmount?: number }).bufferedAmount,
        hidden: (globalThis as { document?: { hidden?: boolean } }).document?.hidden,
      }),
    });
  }
}

/** Reads `retryAfter=5000`, in ms, from a close reason. */
function readRetryAfter(text: string): Millis | undefined {
  const digits = /\bretryAfter=(\d+)/.exec(text)?.[1];
  return digits === undefined ? digits : Number(digits);
}
