import {
  ConnectionClosedError,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  QueueOverflowError,
  ReadyState,
  type Scheduler,
  type SocketData,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import type { Reader } from '../attach.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import type { Connection } from '../reconnect/connection.ts';
import { type QueueBounds, type QueuedMessage, SendQueue } from './send-queue.ts';

/** What a {@link Outbox} uses of the options. */
export interface OutboxOptions extends QueueBounds {
  readonly scheduler: Scheduler;
  /** Whether messages are kept until they are confirmed. */
  readonly confirm: boolean;
  /** Whether those that were not confirmed are sent again. */
  readonly resend: boolean;
}

/** What a {@link Outbox} uses of a connection. */
export type DeliveryConnection = Pick<Connection, 'socket' | 'heartbeat'>;

/** How far the messages have come: those of the queue by their seq, and those that passed it by. */
interface Position {
  readonly seq: number;
  readonly direct: number;
}

/** A ping that asks for a confirmation, and what was written to its socket before it. */
interface Mark extends Position {
  readonly id: string;
}

interface Waiter extends Position {
  readonly resolve: (flushed: Flushed) => void;
  readonly reject: (error: unknown) => void;
}

/** What may be told of the end of a connection. */
type Refusal = Pick<CloseRecord, 'code' | 'text'>;

/** What `flushed()` resolves to. */
export interface Flushed {
  /** Whose WebSocket layer has read the messages. */
  readonly by: Reader;
}

/** Between two pings for messages whose confirmation nobody waits for. */
const PAUSE: Millis = 1_000;
/**
 * A server closes a client that sends it more than 50 pings at once, or more than one every 200 ms in
 * the long run. So pings for a confirmation leave only while fewer than these are out of the bucket,
 * which counts the other pings too.
 */
const BURST = 20;
const PACE: Millis = 250;
/** While one ping is out for so long, and the server is heard: its answer may have been left out. */
const PATIENCE: Millis = 5_000;
/** Pings for a confirmation that may be out. A server that answers none of them gets no more. */
const MAX_MARKS = 8;
/** Connections that the server closed because of one message until that is dropped. */
const MAX_REFUSALS = 3;
/**
 * Unsupported data, bad payload, policy violation, too big, internal error: RFC 6455 §7.4.1. Servers
 * close with 1011 when the handler of a message throws.
 */
const REFUSALS: readonly number[] = [1003, 1007, 1008, 1009, 1011];
/** These may also mean the client or the server itself, so they count once the server has answered. */
const AMBIGUOUS: readonly number[] = [1008, 1011];

/** The prefix of the ids of pings for a confirmation. No other ping may have it. */
export const ID_PREFIX = '_';

/**
 * Messages on their way: queued, sent, confirmed.
 *
 * A WebSocket keeps the order of what is sent. So the pong to a ping with an id proves that the
 * peer's WebSocket layer has read all that was written to the same socket before that ping. Only the
 * pings that are sent here count: of any other it is not known here what was written before it. A
 * bare pong proves nothing: a runtime may have answered it by itself.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #unsendable: (message: SocketData, error: unknown) => void;
  readonly #queue: SendQueue;
  readonly #waiters: Set<Waiter> = new Set();
  #connection: DeliveryConnection | undefined;
  #marks: Mark[] = []; // that are not answered, of the connection in use
  #settled = 0; // the seq up to which messages were confirmed, or never will be
  #direct = 0; // messages that passed the queue by
  #settledDirect = 0;
  #askedAt: Instant = Number.NEGATIVE_INFINITY;
  #asks = 0;
  #pacedTo: Instant = Number.NEGATIVE_INFINITY; // when the bucket is full again
  #timer: Timer | undefined;
  #due: Instant = 0; // of the timer
  #isHeld = false;
  #isWriting = false;
  #isAnswered = false; // a ping, on this connection
  #suspectTo = 0; // messages up to this seq are sent one by one: one of them may end the connection
  #unconfirmed: readonly SocketData[] = [];
  #hasLost = false; // it is over, and not all has arrived
  #by: Reader = 'server'; // the last to confirm

  /** `unsendable` is given a message that an open socket throws at, and what it throws. */
  constructor(
    options: OutboxOptions,
    unsendable: (message: SocketData, error: unknown) => void = () => {},
  ) {
    this.#options = options;
    this.#unsendable = unsendable;
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
    if (this.#queue.isHalfFull) this.hold(false); // else there would be no room for them
    const isFirst = !this.#isWriting && this.#queue.next === undefined;
    const socket = this.#openSocket;
    if (socket !== undefined && isFirst && !this.#options.confirm) {
      this.#queue.pass();
      if (this.#write(socket, message)) {
        this.#pump();
        return [];
      }
    }
    const { oldest } = this.#queue;
    const dropped = this.#queue.push(message);
    if (oldest !== undefined && this.#queue.oldest !== oldest) {
      const { maxQueuedBytes, maxQueuedMessages } = this.#options;
      this.#rejectFrom(oldest, new QueueOverflowError(maxQueuedBytes, maxQueuedMessages));
    }
    this.#pump();
    return dropped;
  }

  /** Sends a message that belongs to the connection alone: before the queue, and never again. */
  sendFirst(socket: WebSocketLike, message: SocketData): void {
    this.#direct += 1;
    this.#write(socket, message);
  }

  /** The connection is ready: what waits is sent. */
  begin(connection: DeliveryConnection): void {
    this.#connection = connection;
    this.#unconfirmed = [];
    if (this.#isSuspect(this.#queue.oldest)) this.#askNow(); // that it reads at all
    this.#pump();
  }

  /**
   * While it is open which of two connections will be used, messages wait: what the wrong one is given is
   * lost. Then they are sent on the connection in use.
   */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#pump();
  }

  /**
   * The connection has ended. What it did not confirm is to be sent again, or is handed back. Returns
   * the message that has ended too many connections.
   */
  interrupt(end?: Refusal): SocketData[] {
    this.#rejectIf(({ direct }) => direct > this.#settledDirect);
    this.#settledDirect = this.#direct; // or never will be
    this.#pacedTo = Number.NEGATIVE_INFINITY;
    const isAnswered = this.#isAnswered;
    this.#isAnswered = this.#isHeld = false;
    if (this.#connection === undefined) return [];
    this.#connection = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#marks = [];
    this.#askedAt = Number.NEGATIVE_INFINITY;
    const { resend } = this.#options;
    const { sentTo } = this.#queue;
    this.#unconfirmed = this.#queue.rewind(resend);
    if (resend) return this.#refused(sentTo, isAnswered, end);
    if (sentTo > this.#settled) this.#rejectIf();
    this.#settled = sentTo;
    return [];
  }

  /** It is over. Returns what was never sent. */
  end(): SocketData[] {
    this.interrupt();
    this.#rejectIf();
    const messages = this.#queue.drain();
    for (const message of messages) this.lose(message);
    return messages;
  }

  /** Counts a message that is sent after the end. */
  lose(message: SocketData): void {
    this.#hasLost = true;
    this.#queue.lose(message);
  }

  /** A ping was sent on the connection, or a pong came. */
  beat(name: keyof HeartbeatEvents, event: unknown): void {
    if (name === 'ping') {
      this.#pacedTo = Math.max(this.#pacedTo, this.#options.scheduler.now()) + PACE;
    } else if (name === 'pong') {
      this.#isAnswered = true;
      const { id } = event as HeartbeatEvents['pong'];
      const index = this.#marks.findIndex((mark) => mark.id === id);
      const mark = this.#marks[index];
      if (mark === undefined) return this.#ask();
      this.#marks.splice(0, index + 1);
      this.#confirm(mark);
    }
  }

  /** Resolves once all that was sent until now is confirmed. Rejects if that can no longer be known. */
  async flushed(): Promise<Flushed> {
    if (this.#hasLost) throw new ConnectionClosedError();
    const position = { seq: this.#queue.last, direct: this.#direct };
    if (this.#isSettled(position)) return { by: this.#by };
    return new Promise((resolve, reject) => {
      this.#waiters.add({ ...position, resolve, reject });
      this.#ask();
    });
  }

  get #openSocket(): WebSocketLike | undefined {
    const { socket } = this.#connection ?? {};
    const isOpen = socket?.readyState === ReadyState.Open; // a closing one loses all
    return isOpen && !this.#isHeld ? socket : undefined;
  }

  /** Writes all that waits, in order, whatever listeners do meanwhile. */
  #pump(): void {
    if (this.#isWriting) return;
    for (let { next } = this.#queue; next !== undefined; next = this.#queue.next) {
      const connection = this.#connection;
      const socket = this.#openSocket;
      const { oldest } = this.#queue;
      if (socket === undefined || (oldest !== next && this.#isSuspect(oldest))) break;
      const isDone = this.#write(socket, next.data, next);
      if (isDone && this.#connection === connection && this.#queue.next === next) {
        this.#queue.advance();
      }
    }
    this.#ask();
  }

  /** Gives the message to the socket, or back. False if the socket has closed meanwhile. */
  #write(socket: WebSocketLike, message: SocketData, queued?: QueuedMessage): boolean {
    this.#isWriting = true; // what a listener of `ping` sends comes after it
    try {
      socket.send(message as never);
    } catch (error) {
      if (socket.readyState !== ReadyState.Open) return false;
      if (queued !== undefined) {
        if (this.#queue.next === queued) this.#queue.removeNext();
        this.#rejectFrom(queued, error);
      }
      this.#unsendable(message, error);
    } finally {
      this.#isWriting = false;
    }
    return true;
  }

  /** Asks whether what was sent has arrived, where that is wanted, and once it may. */
  #ask(): void {
    const { confirm, scheduler } = this.#options;
    const heartbeat = this.#connection?.heartbeat;
    const isWanted = confirm || this.#waiters.size > 0;
    if (!isWanted || heartbeat === undefined) return;
    if (this.#isWriting || this.#isSettled(this.#position)) return;
    const now = scheduler.now();
    if (this.#marks.length > 0) {
      const isHeard = heartbeat.lastReceived > this.#askedAt;
      const isLate = isHeard && now - this.#askedAt >= PATIENCE;
      if (!isLate || this.#marks.length === MAX_MARKS) return; // its pong asks again
    }
    const { isHalfFull, oldest } = this.#queue;
    const isUrgent = this.#waiters.size > 0 || isHalfFull || this.#isSuspect(oldest);
    const due = Math.max(
      isUrgent ? now : this.#askedAt + PAUSE,
      this.#pacedTo - (BURST - 1) * PACE,
    );
    if (due > now) return this.#askAt(due);
    this.#askNow();
  }

  #askNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#askedAt = this.#options.scheduler.now();
    this.#asks += 1;
    const id = `${ID_PREFIX}${this.#asks.toString(36)}`;
    this.#marks.push({ id, ...this.#position });
    const pong = this.#connection?.heartbeat?.ping({ id, timeout: false });
    pong?.catch(() => {}); // `interrupt` comes of the end
  }

  #askAt(due: Instant): void {
    if (this.#timer !== undefined && this.#due <= due) return;
    this.#timer?.cancel();
    this.#due = due;
    this.#timer = this.#options.scheduler.at(due, () => {
      this.#timer = undefined;
      this.#ask();
    });
  }

  /** What has been written to the socket. */
  get #position(): Position {
    return { seq: this.#queue.sentTo, direct: this.#direct };
  }

  /** Whether it may be the message for which the server closed a connection. */
  #isSuspect(message: QueuedMessage | undefined): boolean {
    return message !== undefined && message.seq <= this.#suspectTo;
  }

  #isSettled({ seq, direct }: Position): boolean {
    return seq <= this.#settled && direct <= this.#settledDirect;
  }

  #confirm({ seq, direct }: Position): void {
    this.#settled = Math.max(this.#settled, seq);
    this.#settledDirect = Math.max(this.#settledDirect, direct);
    this.#by = this.#connection?.heartbeat?.answersBy ?? this.#by;
    this.#queue.confirm(seq);
    for (const waiter of this.#waiters) {
      if (!this.#isSettled(waiter)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve({ by: this.#by });
    }
    this.#pump();
  }

  /** A message that ends connection after connection is dropped: it is in the way of all behind it. */
  #refused(sentTo: number, isAnswered: boolean, end: Refusal | undefined): SocketData[] {
    const { oldest } = this.#queue;
    if (end === undefined || oldest === undefined || oldest.seq > sentTo) return [];
    if (!REFUSALS.includes(end.code)) return [];
    this.#suspectTo = Math.max(this.#suspectTo, sentTo);
    if (isAnswered || !AMBIGUOUS.includes(end.code)) oldest.refusals += 1;
    if (oldest.refusals < MAX_REFUSALS) return [];
    this.#queue.removeNext();
    this.#settled = oldest.seq;
    this.#unconfirmed = this.#unconfirmed.slice(1);
    this.#rejectFrom(oldest, new ConnectionClosedError(end.code, end.text));
    return [oldest.data];
  }

  /** That message will not arrive. */
  #rejectFrom({ seq }: QueuedMessage, error: unknown): void {
    this.#rejectIf((waiter) => waiter.seq >= seq, error);
  }

  #rejectIf(
    isHopeless: (waiter: Waiter) => boolean = () => true,
    error: unknown = new ConnectionClosedError(),
  ): void {
    for (const waiter of this.#waiters) {
      if (isHopeless(waiter) && this.#waiters.delete(waiter)) waiter.reject(error);
    }
  }
}
