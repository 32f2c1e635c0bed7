import { type HeartbeatEvent, type Instant, ReadyState, type SocketData } from '@wirebeat/core';
import type { AnsweredBy, Link } from '../link.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import { byteLength, copyOf } from './messages.ts';
import { makeRoom, type QueueBounds } from './queue-bounds.ts';

/** The connection that an outbox sends on. */
export interface Channel {
  readonly readyState: number;
  readonly heartbeat?: { readonly lastReceived: Instant } | undefined;
  readonly link?: Pick<Link, 'answersBy' | 'ping'> | undefined;
  send(message: SocketData): void;
}

/** What `flushed()` resolves to. */
export interface Flushed {
  /** The peer whose WebSocket layer has read the messages. */
  readonly by: AnsweredBy;
}

/** Called with a message and the error if the `send()` of an open socket throws. */
export type Unsendable = (message: SocketData, error: unknown) => void;

/** Queues and sends messages: an {@link Outbox}, or one that also confirms them. */
export interface MessageOutbox {
  /** The bytes that wait to be sent, or were lost after the end. */
  readonly bytes: number;
  /**
   * Sends a message, or queues it until {@link begin}. Returns the messages dropped to make room.
   *
   * @throws {QueueOverflowError} if the queue is full and the policy is `error`.
   */
  send(message: SocketData): SocketData[];
  /** Sends a message that belongs to one connection: ahead of the queue, and never again. */
  sendFirst(connection: Channel, message: SocketData): void;
  /** Sends the waiting messages on a connection that has become ready. */
  begin(connection: Channel): void;
  /**
   * Holds messages while it is undecided which of two connections to use, because messages on the
   * other one would be lost. With `false`, sends them on the connection in use.
   */
  hold(isHeld: boolean): void;
  /** Handles the end of the connection. Returns a message that the server refuses. */
  interrupt(end?: Pick<CloseRecord, 'code' | 'text'>): SocketData[];
  /** Ends the outbox. Returns the messages that were never sent. */
  end(): SocketData[];
  /** Counts a message sent after the end, as the standard requires for `bufferedAmount`. */
  lose(message: SocketData): void;
  /** Handles an event of the heartbeat on the connection in use, such as a ping or a pong. */
  beat?(...event: HeartbeatEvent): void;
}

interface Waiting {
  /** A copy: the caller may write to its own buffer again. */
  readonly data: SocketData;
  readonly size: number;
}

/** Sends messages, and queues them while there is no connection. */
export class Outbox implements MessageOutbox {
  readonly #bounds: QueueBounds;
  readonly #unsendable: Unsendable;
  #waiting: Waiting[] = [];
  #connection: Channel | undefined;
  #bytes = 0;
  #lostBytes = 0;
  #isHeld = false;
  #isWriting = false;

  constructor(bounds: QueueBounds, unsendable: Unsendable = () => {}) {
    this.#bounds = bounds;
    this.#unsendable = unsendable;
  }

  get bytes(): number {
    return this.#bytes + this.#lostBytes;
  }

  send(message: SocketData): SocketData[] {
    const { maxQueuedBytes, maxQueuedMessages } = this.#bounds;
    const isHalfFull =
      2 * this.#bytes > maxQueuedBytes || 2 * this.#waiting.length > maxQueuedMessages;
    if (isHalfFull) this.hold(false); // holding more messages would fill the queue
    const connection = this.#open;
    const isFirst = !this.#isWriting && this.#waiting.length === 0;
    if (connection !== undefined && isFirst && this.#write(connection, message)) {
      this.#pump(); // listeners may have sent more
      return [];
    }
    const dropped = this.#push(message);
    this.#pump();
    return dropped;
  }

  sendFirst(connection: Channel, message: SocketData): void {
    this.#write(connection, message);
  }

  begin(connection: Channel): void {
    this.#connection = connection;
    this.#pump();
  }

  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    this.#pump();
  }

  interrupt(): SocketData[] {
    this.#connection = undefined;
    this.#isHeld = false;
    return [];
  }

  end(): SocketData[] {
    this.interrupt();
    const messages = this.#waiting.splice(0).map(({ data }) => data);
    this.#lostBytes += this.#bytes;
    this.#bytes = 0;
    return messages;
  }

  lose(message: SocketData): void {
    this.#lostBytes += byteLength(message);
  }

  /** The connection, if messages can be sent on it now: a closing socket loses them. */
  get #open(): Channel | undefined {
    const isOpen = this.#connection?.readyState === ReadyState.Open && !this.#isHeld;
    return isOpen ? this.#connection : undefined;
  }

  /** Writes all waiting messages in order, even if listeners send or close in between. */
  #pump(): void {
    if (this.#isWriting) return;
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      const connection = this.#open;
      if (connection === undefined) return;
      const isDone = this.#write(connection, next.data, next);
      const isNext = this.#connection === connection && this.#waiting[0] === next;
      if (isDone && isNext) this.#shift();
    }
  }

  /** Writes a message, or reports it as unsendable. Returns false if the socket has closed. */
  #write(connection: Channel, message: SocketData, waiting?: Waiting): boolean {
    this.#isWriting = true; // messages sent by a `ping` listener come after this one
    try {
      connection.send(message);
    } catch (error) {
      if (connection.readyState !== ReadyState.Open) return false;
      if (waiting !== undefined && this.#waiting[0] === waiting) this.#shift();
      this.#unsendable(message, error);
    } finally {
      this.#isWriting = false;
    }
    return true;
  }

  #push(message: SocketData): SocketData[] {
    const data = copyOf(message);
    const size = byteLength(data);
    const dropped = makeRoom(size, this.#bounds, {
      fits: (bytes, messages) => this.#bytes <= bytes && this.#waiting.length <= messages,
      shift: () => this.#shift(),
    });
    if (dropped === undefined) return [data];
    this.#bytes += size;
    this.#waiting.push({ data, size });
    return dropped;
  }

  #shift(): SocketData {
    const { data, size } = this.#waiting.shift() as Waiting; // there is one
    this.#bytes -= size;
    return data;
  }
}
