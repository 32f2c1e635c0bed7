import { type BlobLike, QueueOverflowError, type SocketData } from '@wirebeat/core';
import { utf8Length } from './utf8-length.ts';

/** What becomes of a message that does not fit into the queue. */
export type QueuePolicy = (typeof QUEUE_POLICIES)[number];

export const QUEUE_POLICIES = ['error', 'drop-oldest', 'drop-newest'] as const;

/** The bounds of a {@link SendQueue}. */
export interface QueueBounds {
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  readonly queuePolicy: QueuePolicy;
}

/** A message in a {@link SendQueue}. */
export interface QueuedMessage {
  /** As it was when it was given: the caller may write to its buffer again. */
  readonly data: SocketData;
  readonly size: number;
  /** Counts all messages that were given to the queue, from 1. */
  readonly seq: number;
  /** Connections that the peer closed while this was the first message that it had not confirmed. */
  refusals: number;
}

/**
 * Messages on their way, bounded in bytes and in number: those that wait for a connection and, where
 * they are kept until they are confirmed, those that it was sent before them.
 */
export class SendQueue {
  readonly #bounds: QueueBounds;
  readonly #keeps: boolean;
  #messages: QueuedMessage[] = [];
  #bytes = 0;
  #sent = 0; // of these messages
  #sentBytes = 0;
  #last = 0; // seq of the newest
  #lostBytes = 0;

  constructor(bounds: QueueBounds, keeps = false) {
    this.#bounds = bounds;
    this.#keeps = keeps;
  }

  /** Of what waits, and of what was lost. */
  get bytes(): number {
    return this.#bytes - this.#sentBytes + this.#lostBytes;
  }

  /** The seq of the newest message there ever was. */
  get last(): number {
    return this.#last;
  }

  /** The seq up to which all messages were sent, as the connection in use has it. */
  get sentTo(): number {
    return this.next === undefined ? this.#last : this.next.seq - 1;
  }

  /** The oldest message that is kept or waits. */
  get oldest(): QueuedMessage | undefined {
    return this.#messages[0];
  }

  /** The first message that waits. */
  get next(): QueuedMessage | undefined {
    return this.#messages[this.#sent];
  }

  /** Whether half of the bounds is taken. */
  get isHalfFull(): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#bounds;
    return 2 * this.#bytes > maxQueuedBytes || 2 * this.#messages.length > maxQueuedMessages;
  }

  /** What was sent and is kept. */
  get sent(): SocketData[] {
    return this.#messages.slice(0, this.#sent).map(({ data }) => data);
  }

  /** Counts a message that is sent after the end, as the standard does for ever. */
  lose(message: SocketData): void {
    this.#lostBytes += byteLength(message);
  }

  /** Counts a message that is sent at once and not kept. Nothing waits. */
  pass(): void {
    this.#last += 1;
  }

  /**
   * Keeps the message as it is now. Returns what was dropped for it, maybe itself.
   *
   * @throws {QueueOverflowError} if it does not fit, by the policy `error`.
   */
  push(given: SocketData): SocketData[] {
    const { maxQueuedBytes, maxQueuedMessages, queuePolicy } = this.#bounds;
    const data = copy(given);
    const size = byteLength(data);
    const fits = () =>
      this.#bytes + size <= maxQueuedBytes && this.#messages.length < maxQueuedMessages;
    if (!fits() && queuePolicy === 'error') {
      throw new QueueOverflowError(maxQueuedBytes, maxQueuedMessages);
    }
    // One that is too long by itself, or has no place at all, drives none of the others out.
    const isHopeless = size > maxQueuedBytes || maxQueuedMessages === 0;
    if (!fits() && (queuePolicy === 'drop-newest' || isHopeless)) return [data];
    const dropped: SocketData[] = [];
    while (!fits()) dropped.push(this.#remove(0));
    this.#bytes += size;
    this.#last += 1;
    this.#messages.push({ data, size, seq: this.#last, refusals: 0 });
    return dropped;
  }

  /** The first message that waits was sent. */
  advance(): void {
    this.#sentBytes += this.next?.size ?? 0;
    this.#sent += 1;
    if (!this.#keeps) this.#remove(0);
  }

  /** The first message that waits will not be sent. */
  removeNext(): void {
    this.#remove(this.#sent);
  }

  /** All messages up to that seq are known to have arrived. */
  confirm(seq: number): void {
    const isLater = (message: QueuedMessage) => message.seq > seq;
    const end = this.#messages.slice(0, this.#sent).findIndex(isLater);
    const confirmed = this.#messages.splice(0, end < 0 ? this.#sent : end);
    const bytes = confirmed.reduce((sum, { size }) => sum + size, 0);
    this.#sent -= confirmed.length;
    this.#sentBytes -= bytes;
    this.#bytes -= bytes;
  }

  /** The connection has ended. Returns what was sent and kept; it waits again, or is kept no more. */
  rewind(again: boolean): SocketData[] {
    const { sent } = this;
    if (again) this.#sent = this.#sentBytes = 0;
    else this.confirm(this.sentTo);
    return sent;
  }

  /** Takes out all that waits, in order. */
  drain(): SocketData[] {
    const waiting = this.#messages.slice(this.#sent).map(({ data }) => data);
    this.#messages = [];
    this.#bytes = this.#sent = this.#sentBytes = 0;
    return waiting;
  }

  #remove(index: number): SocketData {
    const [{ data, size }] = this.#messages.splice(index, 1) as [QueuedMessage]; // one is there
    this.#bytes -= size;
    if (index < this.#sent) {
      this.#sent -= 1;
      this.#sentBytes -= size;
    }
    return data;
  }
}

/**
 * What a WebSocket makes of what it is given, as WebIDL converts it: an ArrayBuffer, a view or a Blob,
 * of whatever realm, are bytes, and all else is text.
 *
 * @throws {TypeError} for a symbol, and for a view of memory that is shared or can be resized.
 */
export function sendable(data: unknown): SocketData {
  const isView = ArrayBuffer.isView(data);
  const buffer = isView ? data.buffer : data;
  const tag = tagOf(buffer);
  if (isView || tag === 'ArrayBuffer') {
    const { resizable } = buffer as { readonly resizable?: boolean };
    if (tag !== 'ArrayBuffer' || resizable) {
      throw new TypeError('send() takes no memory that is shared or can be resized: send a copy');
    }
    return data as ArrayBuffer | ArrayBufferView;
  }
  return isBlob(data) ? data : `${data as string}`;
}

/** React Native's Blob has no tag of its own, and that of another realm is no instance of ours. */
function isBlob(data: unknown): data is BlobLike {
  const { Blob } = globalThis as { readonly Blob?: new () => object };
  return (Blob !== undefined && data instanceof Blob) || /^(Blob|File)$/.test(tagOf(data));
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The message as it is now: the caller may write to its buffer again. */
function copy(data: SocketData): SocketData {
  const message = sendable(data);
  if (typeof message === 'string' || !('byteLength' in message)) return message;
  if (message.byteLength === 0) return new Uint8Array(0); // it may be detached
  if (!ArrayBuffer.isView(message)) return new Uint8Array(message).slice().buffer; // any realm's
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength).slice();
}

/** Bytes of a message as a WebSocket counts them: text in UTF-8. */
export function byteLength(data: unknown): number {
  if (typeof data === 'string') return utf8Length(data);
  const { byteLength, size } = data as { byteLength?: number; size?: number };
  return byteLength ?? size ?? 0;
}
