import type { SocketData } from '@wirebeat/core';
import { byteLength, copyOf } from './messages.ts';
import { makeRoom, type QueueBounds } from './queue-bounds.ts';

/** A message in a {@link ConfirmingQueue}. */
export interface QueuedMessage {
  /** A copy made by `push`: the caller may write to its own buffer again. */
  readonly data: SocketData;
  readonly size: number;
  /** The number of this message among all messages of the queue, starting at 1. */
  readonly seq: number;
  /** How many connections the peer closed while this was the first unconfirmed message. */
  refusals: number;
}

/**
 * A queue of messages, limited in bytes and in number. Holds the messages that wait for a
 * connection and, if messages are kept until they are confirmed, the sent messages before them.
 */
export class ConfirmingQueue {
  readonly #bounds: QueueBounds;
  readonly #keeps: boolean;
  #messages: QueuedMessage[] = [];
  #bytes = 0;
  #sent = 0; // how many of these messages were sent
  #sentBytes = 0;
  #last = 0; // the seq of the newest message
  #lostBytes = 0;

  constructor(bounds: QueueBounds, keeps = false) {
    this.#bounds = bounds;
    this.#keeps = keeps;
  }

  /** The bytes of the waiting and of the lost messages. */
  get bytes(): number {
    return this.#bytes - this.#sentBytes + this.#lostBytes;
  }

  /** The seq of the newest message, sent or not. */
  get last(): number {
    return this.#last;
  }

  /** The seq of the last message sent on the current connection. */
  get sentTo(): number {
    return this.next === undefined ? this.#last : this.next.seq - 1;
  }

  /** The oldest message, kept or waiting. */
  get oldest(): QueuedMessage | undefined {
    return this.#messages[0];
  }

  /** The first message that waits. */
  get next(): QueuedMessage | undefined {
    return this.#messages[this.#sent];
  }

  /** Whether more than half of a limit is used. */
  get isHalfFull(): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#bounds;
    return 2 * this.#bytes > maxQueuedBytes || 2 * this.#messages.length > maxQueuedMessages;
  }

  /** The messages that were sent and are kept. */
  get sent(): SocketData[] {
    return this.#messages.slice(0, this.#sent).map(({ data }) => data);
  }

  /** Counts a message sent after the end, as the standard requires for `bufferedAmount`. */
  lose(message: SocketData): void {
    this.#lostBytes += byteLength(message);
  }

  /** Counts a message that is sent at once and not kept. Call it only if no message waits. */
  pass(): void {
    this.#last += 1;
  }

  /**
   * Adds a copy of the message. Returns the messages dropped to make room, or the message itself if
   * it is dropped.
   *
   * @throws {QueueOverflowError} if it does not fit and the policy is `error`.
   */
  push(given: SocketData): SocketData[] {
    const data = copyOf(given);
    const size = byteLength(data);
    const dropped = makeRoom(size, this.#bounds, {
      fits: (bytes, messages) => this.#bytes <= bytes && this.#messages.length <= messages,
      shift: () => this.#remove(0),
    });
    if (dropped === undefined) return [data];
    this.#bytes += size;
    this.#last += 1;
    this.#messages.push({ data, size, seq: this.#last, refusals: 0 });
    return dropped;
  }

  /** Marks the first waiting message as sent. */
  advance(): void {
    this.#sentBytes += this.next?.size ?? 0;
    this.#sent += 1;
    if (!this.#keeps) this.#remove(0);
  }

  /** Removes the first waiting message. */
  removeNext(): void {
    this.#remove(this.#sent);
  }

  /** Removes all sent messages up to `seq`, because they have arrived. */
  confirm(seq: number): void {
    const isLater = (message: QueuedMessage) => message.seq > seq;
    const end = this.#messages.slice(0, this.#sent).findIndex(isLater);
    const confirmed = this.#messages.splice(0, end < 0 ? this.#sent : end);
    const bytes = confirmed.reduce((sum, { size }) => sum + size, 0);
    this.#sent -= confirmed.length;
    this.#sentBytes -= bytes;
    this.#bytes -= bytes;
  }

  /**
   * Returns the kept messages at the end of a connection; `again` queues them, otherwise removes
   * them.
   */
  rewind(again: boolean): SocketData[] {
    const { sent } = this;
    if (again) this.#sent = this.#sentBytes = 0;
    else this.confirm(this.sentTo);
    return sent;
  }

  /** Removes and returns all waiting messages, in order. */
  drain(): SocketData[] {
    const waiting = this.#messages.slice(this.#sent).map(({ data }) => data);
    this.#messages = [];
    this.#bytes = this.#sent = this.#sentBytes = 0;
    return waiting;
  }

  #remove(index: number): SocketData {
    const [{ data, size }] = this.#messages.splice(index, 1) as [QueuedMessage]; // it exists
    this.#bytes -= size;
    if (index < this.#sent) {
      this.#sent -= 1;
      this.#sentBytes -= size;
    }
    return data;
  }
}
