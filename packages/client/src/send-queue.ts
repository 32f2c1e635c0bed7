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

/** Messages sent while there is no connection, bounded in bytes and in number. */
export class SendQueue {
  readonly #bounds: QueueBounds;
  #messages: SocketData[] = [];
  #bytes = 0;
  #lostBytes = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** Of what is queued, and of what was lost. */
  get bytes(): number {
    return this.#bytes + this.#lostBytes;
  }

  /** Counts a message that is sent after the end, as the standard does for ever. */
  lose(message: SocketData): void {
    this.#lostBytes += byteLength(message);
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
    while (!fits()) {
      const oldest = this.#messages.shift() as SocketData; // one is there, else it would fit
      this.#bytes -= byteLength(oldest);
      dropped.push(oldest);
    }
    this.#bytes += size;
    this.#messages.push(message);
    return dropped;
  }

  /** Takes all messages out, in order. */
  drain(): SocketData[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
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
