import {
  ConnectionClosedError,
  type HeartbeatEvent,
  type Instant,
  type Millis,
  QueueOverflowError,
  ReadyState,
  type Scheduler,
  type SocketData,
  type Timer,
} from '@wirebeat/core';
import type { AnsweredBy } from '../link.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import { ConfirmingQueue, type QueuedMessage } from './confirming-queue.ts';
import { FlushWaiters, type Position } from './flush-waiters.ts';
import { ID_PREFIX } from './messages.ts';
import type { Channel, Flushed, MessageOutbox, Unsendable } from './outbox.ts';
import type { QueueBounds } from './queue-bounds.ts';

/** The options of a {@link ConfirmingOutbox}. */
export interface OutboxOptions extends QueueBounds {
  readonly scheduler: Scheduler;
  /** Whether to keep messages until they are confirmed. */
  readonly confirm: boolean;
  /** Whether to send unconfirmed messages again. */
  readonly resend: boolean;
}

/** A ping that asks for a confirmation, and the messages written to its socket before it. */
interface Mark extends Position {
  readonly id: string;
}

/** The close code and the reason of a connection that has ended. */
type Refusal = Pick<CloseRecord, 'code' | 'text'>;

/** The time between two pings for confirmations that are not urgent. */
const PAUSE: Millis = 1_000;
/**
 * A server closes a client that sends more than 50 pings at once or, on average, more than one
 * every 200 ms. So pings for confirmations have a token bucket of BURST pings, with one more every
 * PACE ms. It counts the other pings too.
 */
const BURST = 20;
const PACE: Millis = 250;
/** After this time without an answer, while data is received, the answer may have been skipped. */
const PATIENCE: Millis = 5_000;
/** The maximum number of unanswered pings for confirmations. */
const MAX_MARKS = 8;
/** A message is dropped after the server has closed this many connections because of it. */
const MAX_REFUSALS = 3;
/**
 * Unsupported data, bad payload, policy violation, too big, internal error: RFC 6455 §7.4.1. Servers
 * close with 1011 when the handler of a message throws.
 */
const REFUSALS: readonly number[] = [1003, 1007, 1008, 1009, 1011];
/** These codes may refer to the client or the server itself. They count once the server has answered. */
const AMBIGUOUS: readonly number[] = [1008, 1011];

/**
 * Queues and sends messages, and tracks which are confirmed.
 *
 * A WebSocket delivers messages in order. So the pong to a ping with an id proves that the
 * WebSocket layer of the peer has read everything written to the same socket before that ping. Only
 * pings sent here count, because the outbox does not know what was written before other pings. A
 * bare pong proves nothing, because a runtime may have sent it automatically.
 */
export class ConfirmingOutbox implements MessageOutbox {
  readonly #options: OutboxOptions;
  readonly #unsendable: Unsendable;
  readonly #queue: ConfirmingQueue;
  readonly #waiters: FlushWaiters = new FlushWaiters();
  #connection: Channel | undefined;
  #marks: Mark[] = []; // the unanswered ones of the connection in use
  #settled = 0; // up to this seq, messages are confirmed or never will be
  #direct = 0; // the number of messages sent directly, without the queue
  #settledDirect = 0;
  #askedAt: Instant = Number.NEGATIVE_INFINITY;
  #asks = 0;
  #pacedTo: Instant = Number.NEGATIVE_INFINITY; // when the bucket is full again
  #timer: Timer | undefined;
  #due: Instant = 0; // when the timer is due
  #isHeld = false;
  #isWriting = false;
  #isAnswered = false; // whether a ping was answered on this connection
  #suspectTo = 0; // messages up to this seq are sent one by one, as one may make the server close
  #unconfirmed: readonly SocketData[] = [];
  #hasLost = false; // whether a message was discarded at or after the end
  #by: AnsweredBy = 'server'; // the peer that confirmed last

  constructor(options: OutboxOptions, unsendable: Unsendable = () => {}) {
    this.#options = options;
    this.#unsendable = unsendable;
    this.#queue = new ConfirmingQueue(options, options.confirm);
  }

  /** The bytes that wait to be sent. */
  get bytes(): number {
    return this.#queue.bytes;
  }

  /** The messages sent and not confirmed, on this connection or, if there is none, on the last. */
  get unconfirmed(): readonly SocketData[] {
    return this.#connection === undefined ? this.#unconfirmed : this.#queue.sent;
  }

  /**
   * Sends a message, or queues it until {@link begin}. Returns the messages dropped to make room.
   *
   * @throws {QueueOverflowError} if the queue is full and the policy is `error`.
   */
  send(message: SocketData): SocketData[] {
    if (this.#queue.isHalfFull) this.hold(false); // holding more messages would fill the queue
    const isFirst = !this.#isWriting && this.#queue.next === undefined;
    const connection = this.#openConnection;
    if (connection !== undefined && isFirst && !this.#options.confirm) {
      this.#queue.pass();
      if (this.#write(connection, message)) {
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

  /** Sends a message that belongs to one connection: ahead of the queue, and never again. */
  sendFirst(connection: Channel, message: SocketData): void {
    this.#direct += 1;
    this.#write(connection, message);
  }

  /** Sends the waiting messages on a connection that has become ready. */
  begin(connection: Channel): void {
    this.#connection = connection;
    this.#unconfirmed = [];
    if (this.#isSuspect(this.#queue.oldest)) this.#askNow(); // to know whether the server answers
    this.#pump();
  }

  /**
   * Holds messages while it is undecided which of two connections to use, because messages on the
   * other one would be lost. With `false`, sends them on the connection in use.
   */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#pump();
  }

  /**
   * Handles the end of the connection. Unconfirmed messages are sent again or become `unconfirmed`.
   * Returns a message to drop, if the server has closed too many connections because of it.
   */
  interrupt(end?: Refusal): SocketData[] {
    this.#waiters.rejectIf(({ direct }) => direct > this.#settledDirect);
    this.#settledDirect = this.#direct; // the rest will never be confirmed
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
    if (sentTo > this.#settled) this.#waiters.rejectIf();
    this.#settled = sentTo;
    return [];
  }

  /** Ends the outbox. Returns the messages that were never sent. */
  end(): SocketData[] {
    this.interrupt();
    this.#waiters.rejectIf();
    const messages = this.#queue.drain();
    for (const message of messages) this.lose(message);
    return messages;
  }

  /** Counts a message sent after the end. */
  lose(message: SocketData): void {
    this.#hasLost = true;
    this.#queue.lose(message);
  }

  /** Counts pings towards the limit of the server, and takes pongs for confirmations. */
  beat(...[name, detail]: HeartbeatEvent): void {
    if (name === 'pong') this.#answered(detail.id);
    if (name !== 'ping') return;
    this.#pacedTo = Math.max(this.#pacedTo, this.#options.scheduler.now()) + PACE;
  }

  #answered(id: string | undefined): void {
    this.#isAnswered = true;
    const index = this.#marks.findIndex((mark) => mark.id === id);
    const mark = this.#marks[index];
    if (mark === undefined) return this.#ask();
    this.#marks.splice(0, index + 1);
    this.#confirm(mark);
  }

  /** Resolves once all messages sent so far are confirmed. Rejects if that can never be known. */
  async flushed(): Promise<Flushed> {
    if (this.#hasLost) throw new ConnectionClosedError();
    const position = { seq: this.#queue.last, direct: this.#direct };
    if (this.#isSettled(position)) return { by: this.#by };
    const flushed = this.#waiters.add(position);
    this.#ask();
    return flushed;
  }

  /** The connection, if messages can be sent on it now. */
  get #openConnection(): Channel | undefined {
    const connection = this.#connection;
    const isOpen = connection?.readyState === ReadyState.Open; // a closing socket loses messages
    return isOpen && !this.#isHeld ? connection : undefined;
  }

  /** Writes all waiting messages in order, even if listeners send or close in between. */
  #pump(): void {
    if (this.#isWriting) return;
    for (let { next } = this.#queue; next !== undefined; next = this.#queue.next) {
      const connection = this.#openConnection;
      const { oldest } = this.#queue;
      if (connection === undefined || (oldest !== next && this.#isSuspect(oldest))) break;
      const isDone = this.#write(connection, next.data, next);
      if (isDone && this.#connection === connection && this.#queue.next === next) {
        this.#queue.advance();
      }
    }
    this.#ask();
  }

  /** Writes a message, or reports it as unsendable. Returns false if the socket has closed. */
  #write(connection: Channel, message: SocketData, queued?: QueuedMessage): boolean {
    this.#isWriting = true; // messages sent by a `ping` listener come after this one
    try {
      connection.send(message);
    } catch (error) {
      if (connection.readyState !== ReadyState.Open) return false;
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

  /** Sends a ping for a confirmation, if one is needed and as soon as the limits allow. */
  #ask(): void {
    const { confirm, scheduler } = this.#options;
    const connection = this.#connection;
    const isWanted = confirm || !this.#waiters.isEmpty;
    if (!isWanted || connection === undefined) return;
    if (this.#isWriting || this.#isSettled(this.#position)) return;
    const now = scheduler.now();
    if (this.#marks.length > 0) {
      const isHeard = (connection.heartbeat?.lastReceived ?? 0) > this.#askedAt;
      const isLate = isHeard && now - this.#askedAt >= PATIENCE;
      if (!isLate || this.#marks.length === MAX_MARKS) return; // the pong calls this again
    }
    const { isHalfFull, oldest } = this.#queue;
    const isUrgent = !this.#waiters.isEmpty || isHalfFull || this.#isSuspect(oldest);
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
    const pong = this.#connection?.link?.ping({ id, timeout: false });
    pong?.catch(() => {}); // `interrupt` handles the end of the connection
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

  /** How many messages were written to the socket. */
  get #position(): Position {
    return { seq: this.#queue.sentTo, direct: this.#direct };
  }

  /** Whether the server may have closed a connection because of this message. */
  #isSuspect(message: QueuedMessage | undefined): boolean {
    return message !== undefined && message.seq <= this.#suspectTo;
  }

  #isSettled({ seq, direct }: Position): boolean {
    return seq <= this.#settled && direct <= this.#settledDirect;
  }

  #confirm({ seq, direct }: Position): void {
    this.#settled = Math.max(this.#settled, seq);
    this.#settledDirect = Math.max(this.#settledDirect, direct);
    this.#by = this.#connection?.link?.answersBy ?? this.#by;
    this.#queue.confirm(seq);
    this.#waiters.resolveIf((position) => this.#isSettled(position), { by: this.#by });
    this.#pump();
  }

  /** Drops a message that ended several connections, because it blocks all messages behind it. */
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

  /** Rejects all waiters for a message that will not arrive. */
  #rejectFrom({ seq }: QueuedMessage, error: unknown): void {
    this.#waiters.rejectIf((waiter) => waiter.seq >= seq, error);
  }
}
