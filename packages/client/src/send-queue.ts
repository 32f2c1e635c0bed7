import { QueueOverflowError, type SocketData } from '@wirebeat/core';

/** Messages sent while there is no connection, bounded in bytes. */
export class SendQueue {
  readonly #maxBytes: number;
  #messages: SocketData[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws {QueueOverflowError} if the message does not fit; what is queued stays queued. */
  push(data: SocketData): void {
    const message = copy(data);
    const size = byteLength(message);
    if (this.#bytes + size > this.#maxBytes) throw new QueueOverflowError(this.#maxBytes);
    this.#bytes += size;
    this.#messages.push(message);
  }

  /** Takes all messages out, in order. */
  drain(): SocketData[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }
}

/** The message as it is now: the caller may write to its buffer again. */
function copy(data: SocketData): SocketData {
  if (typeof data !== 'object' || data === null) return String(data);
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  if ('byteLength' in data) return new Uint8Array(data).slice().buffer; // of any realm, or shared
  return typeof data.size === 'number' ? data : String(data); // a WebSocket sends all else as text
}

/** Bytes of the message as a WebSocket counts them: text in UTF-8. */
function byteLength(data: SocketData): number {
  if (typeof data === 'string') return new TextEncoder().encode(data).length;
  return 'byteLength' in data ? data.byteLength : data.size;
}
