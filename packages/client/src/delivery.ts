import {
  ConnectionClosedError,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  ReadyState,
  type Scheduler,
  type SocketData,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import type { Reader } from './attach.ts';
import type { Connection } from './connection.ts';
import { type QueueBounds, SendQueue } from './send-queue.ts';

/** What a {@link Delivery} uses of the options. */
export interface DeliveryOptions extends QueueBounds {
  readonly scheduler: Scheduler;
  /** Whether messages are kept until they are confirmed. */
  readonly confirm: boolean;
  /** Whether those that were not confirmed are sent again. */
  readonly resend: boolean;
}

interface Waiter {
  /** How many messages must be confirmed. */
  readonly count: number;
  readonly resolve: (flushed: Flushed) => void;
  readonly reject: (error: ConnectionClosedError) => void;
}

/** What `flushed()` resolves to. */
export interface Flushed {
  /** Whose WebSocket layer has read the messages. */
  readonly by: Reader;
}

/** Between two pings that ask for no more than a confirmation. */
const PAUSE: Millis = 1_000;

/**
 * Messages on their way: queued, sent, confirmed.
 *
 * A WebSocket keeps the order of what is sent. So the pong to a ping with an id proves that the
 * peer's WebSocket layer has read all that was sent before that ping. A bare pong proves nothing: a
 * runtime may have answered it by itself.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: SendQueue;
  readonly #waiters: Set<Waiter> = new Set();
  /** What was sent when a ping with that id was. */
  readonly #marks: Map<string, number> = new Map();
  #connection: Connection | undefined;
  #confirmed = 0;
  #askedFor = 0; // as many messages as the last ping for them stands behind
  #askedAt: Instant = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #unconfirmed: readonly SocketData[] = [];
  #by: Reader = 'server'; // who confirmed last

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#queue = new SendQueue(options, options.confirm);
  }

  /** Bytes that wait to be sent. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** What was sent and may be lost: on this connection, or on the last if there is none. */
  get unconfirmed(): readonly SocketData[] {
    return this.#connection === undefined ? this.#unconfirmed : this.#queue.sent;
  }

  /** Sends, or queues until {@link begin}. Returns what was dropped for it. @throws {QueueOverflowError} */
  send(message: SocketData): SocketData[] {
    const socket = this.#connection?.socket;
    const isOpen = socket?.readyState === ReadyState.Open; // what a closing one is given is lost
    if (isOpen && !this.#options.confirm) {
      socket.send(message as never);
      this.#queue.pass();
      return [];
    }
    const dropped = this.#queue.push(message);
    if (isOpen) this.#sendWaiting(socket);
    return dropped;
  }

  /** The connection is ready: what waits is sent. */
  begin(connection: Connection): void {
    this.#connection = connection;
    this.#unconfirmed = [];
    if (connection.socket !== undefined) this.#sendWaiting(connection.socket);
    if (this.#waiters.size > 0) this.#askNow(connection);
  }

  /** The connection has ended. What it did not confirm is to be sent again, or is handed back. */
  interrupt(): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#marks.clear();
    this.#askedAt = Number.NEGATIVE_INFINITY;
    this.#askedFor = 0;
    this.#unconfirmed = this.#queue.rewind(this.#options.resend);
    if (this.#options.resend) return;
    this.#rejectUpTo(this.#queue.sentCount);
    this.#confirmed = this.#queue.sentCount; // or never will be
  }

  /** It is over. Returns what was never sent. */
  end(): SocketData[] {
    this.interrupt();
    this.#rejectUpTo(Number.POSITIVE_INFINITY);
    const messages = this.#queue.drain();
    for (const message of messages) this.lose(message);
    return messages;
  }

  /** Counts a message that is sent after the end. */
  lose(message: SocketData): void {
    this.#queue.lose(message);
  }

  /** A ping was sent on the connection, or its pong came. */
  beat(name: keyof HeartbeatEvents, event: unknown): void {
    const { id } = event as { readonly id?: string };
    if (id === undefined || this.#connection === undefined) return;
    if (name === 'ping') this.#marks.set(id, this.#queue.sentCount);
    else if (name === 'pong') this.#confirm(id);
  }

  /** Resolves once all that was sent until now is confirmed. Rejects if that can no longer be known. */
  async flushed(): Promise<Flushed> {
    const { count } = this.#queue;
    if (count <= this.#confirmed) return { by: this.#by };
    return new Promise((resolve, reject) => {
      this.#waiters.add({ count, resolve, reject });
      if (this.#connection !== undefined) this.#askNow(this.#connection);
    });
  }

  #sendWaiting(socket: WebSocketLike): void {
    for (const message of this.#queue.waiting()) socket.send(message as never);
    this.#ask();
  }

  /** Asks whether what was sent has arrived, where that is wanted: now, or a pause after the last. */
  #ask(): void {
    const { confirm, scheduler } = this.#options;
    const connection = this.#connection;
    if (!confirm || connection === undefined) return;
    const due = this.#askedAt + PAUSE;
    const isUrgent = this.#queue.isHalfFull && this.#askedFor <= this.#confirmed;
    if (isUrgent || scheduler.now() >= due) return this.#askNow(connection);
    this.#timer ??= scheduler.at(due, () => this.#askNow(connection));
  }

  /** Sends a ping that stands behind all that was sent. */
  #askNow({ heartbeat }: Connection): void {
    const { sentCount } = this.#queue;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#askedFor >= sentCount) return;
    this.#askedFor = sentCount;
    this.#askedAt = this.#options.scheduler.now();
    const id = `_${sentCount.toString(36)}`; // no ping of the machine's own is called so
    heartbeat?.ping({ id, timeout: false }).catch(() => {}); // its end is told otherwise
  }

  #confirm(id: string): void {
    const count = this.#marks.get(id);
    if (count === undefined) return;
    for (const [other, before] of this.#marks) if (before <= count) this.#marks.delete(other);
    this.#confirmed = Math.max(this.#confirmed, count);
    this.#by = this.#connection?.heartbeat?.answersBy ?? this.#by;
    this.#queue.confirm(count);
    for (const waiter of this.#waiters) {
      if (waiter.count > this.#confirmed || !this.#waiters.delete(waiter)) continue;
      waiter.resolve({ by: this.#by });
    }
    if (this.#queue.sentCount > this.#confirmed) this.#ask();
  }

  #rejectUpTo(count: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.count <= count && this.#waiters.delete(waiter)) {
        waiter.reject(new ConnectionClosedError());
      }
    }
  }
}
