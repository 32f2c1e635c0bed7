import { QueueOverflowError, type SocketData } from '@wirebeat/core';

/** What becomes of a message that does not fit into the queue. */
export type QueuePolicy = (typeof QUEUE_POLICIES)[number];

export const QUEUE_POLICIES = ['error', 'drop-oldest', 'drop-newest'] as const;

/** The bounds of a {@link SendQueue}. */
export interface QueueBounds {
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  readonly queuePolicy: QueuePolicy;
}

/**
 * Messages on their way, bounded in bytes and in number: those that wait for a connection and, where
 * they are kept until they are confirmed, those that it was sent before them.
 */
export class SendQueue {
  readonly #bounds: QueueBounds;
  readonly #keeps: boolean;
  #messages: SocketData[] = [];
  #bytes = 0;
  #sent = 0; // of these messages
  #sentBytes = 0;
  #gone = 0; // messages before these
  #lostBytes = 0;

  constructor(bounds: QueueBounds, keeps = false) {
    this.#bounds = bounds;
    this.#keeps = keeps;
  }

  /** Of what waits, and of what was lost. */
  get bytes(): number {
    return this.#bytes - this.#sentBytes + this.#lostBytes;
  }

  /** Messages there ever were. */
  get count(): number {
    return this.#gone + this.#messages.length;
  }

  /** Those of them that were sent, as the connection in use has it. */
  get sentCount(): number {
    return this.#gone + this.#sent;
  }

  /** Whether half of the bounds is taken. */
  get isHalfFull(): boolean {
    const { maxQueuedBytes, maxQueuedMessages } = this.#bounds;
    return 2 * this.#bytes > maxQueuedBytes || 2 * this.#messages.length > maxQueuedMessages;
  }

  /** What was sent and is kept. */
  get sent(): readonly SocketData[] {
    return this.#messages.slice(0, this.#sent);
  }

  /** Counts a message that is sent after the end, as the standard does for ever. */
  lose(message: SocketData): void {
    this.#lostBytes += byteLength(message);
  }

  /** Counts a message that was sent and is not kept. Nothing waits. */
  pass(): void {
    this.#gone += 1;
  }

  /**
   * Keeps the message as it is now. Returns what was dropped for it, maybe itself.
   *
   * @throws {QueueOverflowError} if it does not fit, by the policy `error`.
   */
  push(data: SocketData): SocketData[] {
    const { maxQueuedBytes, maxQueuedMessages, queuePolicy } = this.#bounds;
    const message = copy(data);
    const size = byteLength(message);
    const fits = () =>
      this.#bytes + size <= maxQueuedBytes && this.#messages.length < maxQueuedMessages;
    if (!fits() && queuePolicy === 'error') {
      throw new QueueOverflowError(maxQueuedBytes, maxQueuedMessages);
    }
    // One that is too long by itself, or has no place at all, drives none of the others out.
    const isHopeless = size > maxQueuedBytes || maxQueuedMessages === 0;
    if (!fits() && (queuePolicy === 'drop-newest' || isHopeless)) return [message];
    const dropped: SocketData[] = [];
    while (!fits()) dropped.push(this.#shift());
    this.#bytes += size;
    this.#messages.push(message);
    return dropped;
  }

  /** The messages that wait, in order. Each counts as sent when the one after it is asked for. */
  *waiting(): Generator<SocketData> {
    while (this.#sent < this.#messages.length) {
      const message = this.#messages[this.#sent] as SocketData;
      yield message;
      this.#sent += 1;
      this.#sentBytes += byteLength(message);
      if (!this.#keeps) this.#shift();
    }
  }

  /** So many messages, of all there ever were, are known to have arrived. */
  confirm(count: number): void {
    while (this.#gone < count && this.#sent > 0) this.#shift();
  }

  /** The connection has ended. Returns what was sent and kept; it waits again, or is kept no more. */
  rewind(again: boolean): SocketData[] {
    const sent = this.#messages.slice(0, this.#sent);
    if (again) this.#sent = this.#sentBytes = 0;
    else this.confirm(this.sentCount);
    return sent;
  }

  /** Takes out all that waits, in order. */
  drain(): SocketData[] {
    const waiting = this.#messages.slice(this.#sent);
    this.#messages = [];
    this.#bytes = this.#sent = this.#sentBytes = 0;
    return waiting;
  }

  #shift(): SocketData {
    const message = this.#messages.shift() as SocketData; // one is there
    const size = byteLength(message);
    this.#bytes -= size;
    this.#gone += 1;
    if (this.#sent > 0) {
      this.#sent -= 1;
      this.#sentBytes -= size;
    }
    return message;
  }
}

/** What a WebSocket makes of it: all that is no bytes is text. */
export function sendable(data: SocketData): SocketData {
  const isBinary =
    typeof data === 'object' &&
    data !== null &&
    ('byteLength' in data || typeof data.size === 'number');
  return isBinary ? data : `${data as string}`;
}

/** The message as it is now: the caller may write to its buffer again. */
function copy(data: SocketData): SocketData {
  const message = sendable(data);
  if (typeof message === 'string' || !('byteLength' in message)) return message;
  if (!ArrayBuffer.isView(message)) return new Uint8Array(message).slice().buffer; // any realm's
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength).slice();
}

/** Bytes of a message as a WebSocket counts them: text in UTF-8. */
export function byteLength(data: unknown): number {
  if (typeof data === 'string') return new TextEncoder().encode(data).length;
  const { byteLength, size } = data as { byteLength?: number; size?: number };
  return byteLength ?? size ?? 0;
}
