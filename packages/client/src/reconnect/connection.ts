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

/** What a connection tells the one that dialled it. After `ended` it tells nothing more. */
export interface ConnectionOwner {
  opened(): void;
  received(event: SocketEvent): void;
  failed(error: unknown): void;
  ended(record: CloseRecord): void;
  beat<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void;
}

/** Gives what dials, at once or after asking. The signal is aborted when it is no longer wanted. */
export type Prepare = (signal: AbortSignal) => (() => WebSocketLike) | Promise<() => WebSocketLike>;

/** What a connection uses of the options. */
export type ConnectionOptions = Pick<
  ResolvedReconnectOptions,
  'heartbeat' | 'scheduler' | 'backoff'
> &
  Partial<ResolvedReconnectOptions>;

/**
 * `open` from the open of the socket until its owner calls `makeReady`, `readying` while the
 * application makes it ready, `failing` while the peer may still say why that failed, `leaving` once
 * the user has closed it.
 */
type Phase = 'dialling' | 'open' | 'readying' | 'failing' | 'ready' | 'leaving' | 'ended';

const BEATS = ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall', 'unanswered'] as const;

/** Ends that are a timeout or follow from one, and what `close` has as its reason. */
const FAILURES: Partial<Record<CloseReason, string>> = {
  'connect-timeout': '',
  'ready-timeout': '',
  replaced: 'replaced',
  unanswered: 'unanswered',
  reconnect: 'reconnect',
};

/** How long the peer's Close frame is waited for: on a dead link it never comes. */
export const CLOSE_WAIT: Millis = 1_000;

/**
 * A connection that is too old, but suspect or not done with sending, is looked at again so soon. A
 * timer may be as late until that is a stall of ours; then the peer gets as much time once more.
 */
const PATIENCE: Millis = 1_000;

/** Part of `maxAge` that chance takes away: connections that began together do not end together. */
const AGE_JITTER = 0.1;

/**
 * One socket from the question where to dial to its end, with its heartbeat: one generation of a
 * {@link ReconnectingWebSocket}. What its socket does after the end reaches nobody.
 */
export class Connection {
  /** Undefined while it is asked where to dial. */
  socket: WebSocketLike | undefined;
  heartbeat: SocketHeartbeat | undefined;
  /** A successor comes to have another than it was dialled for. */
  owner: ConnectionOwner;
  readonly #options: ConnectionOptions;
  readonly #memory: PeerMemory;
  readonly #session: string | undefined;
  readonly #asking: AbortController = new AbortController();
  readonly #listeners: [type: string, listener: (event: SocketEvent) => void][];
  /** What the heartbeat said before our own listener of `open`: told after it. */
  readonly #early: (() => void)[] = [];
  #phase: Phase = 'dialling';
  #timer: Timer | undefined;
  #held: HeldMessages | undefined; // while some of them have not been handed over
  #openedAt: Instant | undefined;
  #readyAt: Instant | undefined;
  #answered = false;
  /** What happened since the last pong. */
  #since: { missedPings: number; lateBy?: Millis } = { missedPings: 0 };

  /** @throws what the socket's class throws, where nobody has to be asked for the address. */
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

  /** Whether what the application sends belongs to this connection, before all that waits. */
  get isOpening(): boolean {
    return this.#phase === 'open';
  }

  /** Whether it proved itself: it answered a ping, and was ready for `stableFor` or longer. */
  isStable(stableFor: Millis): boolean {
    if (this.#readyAt === undefined || !this.#answered) return false;
    return this.#options.scheduler.now() - this.#readyAt >= stableFor;
  }

  /**
   * Lets the application make the open connection ready, if it wants to; calls `done` after it. What
   * was `held` while this was the standby is handed over as if it came now, to `ready` as well.
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

  /** Closes it as the user wants it: an open one with a handshake, which is waited for a second. */
  close(...end: [code?: number, reason?: string]): void {
    this.#phase = 'leaving';
    this.#asking.abort();
    const wasOpen = this.#openedAt !== undefined;
    if (wasOpen) this.socket?.close(...end);
    this.#limit(wasOpen ? CLOSE_WAIT : 0, 'user');
  }

  /** Ends it now. The owner is told; the socket is closed as well as it goes. */
  abandon(reason: CloseReason): void {
    const { socket } = this;
    const text = FAILURES[reason];
    const code = text === undefined ? CloseCode.Abnormal : CloseCode.Timeout;
    this.#end(reason, { type: 'close', code, reason: text ?? '' });
    if (socket === undefined) return;
    // Its link may live after all: then the server is to read that all is well.
    const isReplaced = reason === 'replaced' || reason === 'unanswered';
    if (isReplaced) socket.close(CloseCode.Normal, 'replaced');
    terminate(socket, text === undefined ? '' : reason.replace('-', ' '));
  }

  /** Ends it now, and lets its socket close in its own time: the link is good, but not needed. */
  discard(reason: CloseReason = 'user'): void {
    const { socket } = this;
    this.#end(reason, { type: 'close', code: CloseCode.Normal, reason });
    socket?.addEventListener('error', () => {}); // `ws` throws what nobody listens to
    socket?.close(CloseCode.Normal, reason);
  }

  #dial(dial: () => WebSocketLike): void {
    const socket = dial();
    // The heartbeat first: its listener hides the beats from ours.
    const options = { ...this.#options.heartbeat, memory: this.#memory };
    this.heartbeat = new SocketHeartbeat(socket, options, this.#session);
    this.socket = socket;
    for (const [type, listener] of this.#listeners) socket.addEventListener(type, listener);
    for (const name of BEATS) this.#forward(this.heartbeat, name);
  }

  #open(): void {
    if (this.#phase !== 'dialling') return; // closed in the meantime
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

  /** Before the open it is the end: undici 6, the one in Node 22, has no `close` follow there. */
  #failed(event: SocketEvent & { readonly error?: unknown }): void {
    this.owner.failed(event.error);
    if (this.#openedAt === undefined) this.abandon('abnormal');
  }

  #fail(reason: CloseReason, error: unknown): void {
    if (this.#phase !== 'dialling') return; // nobody waits for it
    this.owner.failed(error);
    this.abandon(reason);
  }

  /** A server that refuses a login often says so in a message, and closes for good right after it. */
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
    // It was our ping that the peer did not want, and not the application.
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

  /** Waits until it has the age at which it is replaced. */
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

  /** It waits for one thing at a time. */
  #wait(due: Instant, act: () => void): void {
    const { scheduler } = this.#options;
    this.#timer?.cancel();
    if (due === Number.POSITIVE_INFINITY) return;
    this.#timer = scheduler.at(due, () => {
      const now = scheduler.now();
      if (now <= due + PATIENCE) act();
      else this.#timer = scheduler.at(now + PATIENCE, act); // first is heard what has come meanwhile
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

/** `retryAfter=5000` among the words with which a server closed. */
function readRetryAfter(text: string): Millis | undefined {
  const digits = /\bretryAfter=(\d+)/.exec(text)?.[1];
  return digits === undefined ? digits : Number(digits);
}
