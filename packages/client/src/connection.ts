import {
  CloseCode,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PeerMemory,
  type Scheduler,
  type SocketEvent,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import { type AttachOptions, abandon, attachHeartbeat, type SocketHeartbeat } from './attach.ts';
import { type CloseReason, type CloseRecord, reasonOf } from './close-record.ts';

/** What a connection tells the one that dialled it. After `ended` it tells nothing more. */
export interface ConnectionOwner {
  opened(): void;
  received(event: SocketEvent): void;
  failed(error: unknown): void;
  ended(record: CloseRecord): void;
  beat<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void;
}

const BEATS = ['ping', 'pong', 'alive', 'suspect', 'dead', 'stall', 'unanswered'] as const;

/**
 * One socket from its dialling to its end, with its heartbeat: one generation of a
 * {@link ReconnectingWebSocket}. What its socket does after the end reaches nobody.
 */
export class Connection {
  readonly socket: WebSocketLike;
  readonly heartbeat: SocketHeartbeat;
  readonly #scheduler: Scheduler;
  readonly #memory: PeerMemory;
  readonly #owner: ConnectionOwner;
  readonly #listeners: [type: string, listener: (event: SocketEvent) => void][];
  /** What the heartbeat said before our own listener of `open`: told after it. */
  readonly #early: (() => void)[] = [];
  #timer: Timer | undefined;
  #openedAt: Instant | undefined;
  #answered = false;
  #ended = false;

  constructor(
    socket: WebSocketLike,
    options: AttachOptions & { readonly scheduler: Scheduler; readonly memory: PeerMemory },
    connectTimeout: Millis,
    owner: ConnectionOwner,
  ) {
    this.socket = socket;
    this.#scheduler = options.scheduler;
    this.#memory = options.memory;
    this.#owner = owner;
    // The heartbeat first: its listener hides the beats from ours.
    this.heartbeat = attachHeartbeat(socket, options);
    this.#listeners = [
      ['open', () => this.#open()],
      ['message', (event) => owner.received(event)],
      ['error', (event) => this.#failed(event)],
      ['close', (event) => this.#closed(event)],
    ];
    for (const [type, listener] of this.#listeners) socket.addEventListener(type, listener);
    for (const name of BEATS) this.#forward(name);
    this.#limit(connectTimeout, 'connect-timeout');
  }

  /** Whether it proved itself: it answered a ping, and was open for `stableFor` or longer. */
  isStable(stableFor: Millis): boolean {
    if (this.#openedAt === undefined || !this.#answered) return false;
    return this.#scheduler.now() - this.#openedAt >= stableFor;
  }

  /** Begins the closing handshake, and waits no longer than `wait` for it. */
  close(code: number | undefined, reason: string | undefined, wait: Millis): void {
    if (code === undefined) this.socket.close();
    else this.socket.close(code, reason);
    this.#limit(wait, 'user');
  }

  /** Ends it now. The owner is told; the socket is closed as well as it goes. */
  abandon(reason: CloseReason): void {
    const timedOut = reason === 'connect-timeout';
    const code = timedOut ? CloseCode.Timeout : CloseCode.Abnormal;
    const socket = this.socket;
    this.#end(reason, { type: 'close', code });
    abandon(socket, timedOut ? 'connect timeout' : '');
  }

  #open(): void {
    this.#timer?.cancel();
    this.#openedAt = this.#scheduler.now();
    this.#owner.opened();
    for (const tell of this.#early.splice(0)) if (!this.#ended) tell();
  }

  /** Before the open it is the end: undici 6, the one in Node 22, has no `close` follow there. */
  #failed(event: SocketEvent & { readonly error?: unknown }): void {
    this.#owner.failed(event.error);
    if (this.#openedAt === undefined) this.abandon('abnormal');
  }

  #closed(event: SocketEvent): void {
    this.#end(reasonOf(event.code ?? CloseCode.Abnormal), event);
  }

  #forward<Name extends keyof HeartbeatEvents>(name: Name): void {
    this.heartbeat.on(name, (event) => {
      if (name === 'pong') this.#answered = true;
      // A peer that left the pings of one connection unanswered gets another chance to speak.
      if (name === 'unanswered' && this.#memory.speaks) return this.abandon('unanswered');
      const tell = () => this.#owner.beat(name, event);
      if (this.#openedAt === undefined) return this.#early.push(tell);
      tell();
      if (name === 'dead') {
        const { reason } = event as HeartbeatEvents['dead'];
        this.#end(reason, { type: 'close', code: CloseCode.Timeout });
      }
    });
  }

  #limit(wait: Millis, reason: CloseReason): void {
    this.#timer?.cancel();
    this.#timer = this.#scheduler.at(this.#scheduler.now() + wait, () => this.abandon(reason));
  }

  #end(reason: CloseReason, event: SocketEvent): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    const wasOpen = this.#openedAt !== undefined;
    const { latency, lastReceived } = this.heartbeat;
    const record: CloseRecord = {
      reason,
      code: event.code ?? CloseCode.Abnormal,
      text: String(event.reason ?? ''),
      wasClean: event.wasClean === true,
      wasOpen,
      silentFor: wasOpen ? this.#scheduler.now() - lastReceived : undefined,
      latency,
    };
    this.heartbeat.detach();
    for (const [type, listener] of this.#listeners) {
      this.socket.removeEventListener(type, listener);
    }
    this.#owner.ended(record);
  }
}
