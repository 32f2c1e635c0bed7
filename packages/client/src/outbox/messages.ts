import type { BlobLike, SocketData } from '@wirebeat/core';
import { utf8Length } from './utf8-length.ts';

/**
 * Converts the argument of `send()` as WebIDL does: an ArrayBuffer, a view or a Blob, from any
 * realm, stays binary, and everything else becomes text.
 *
 * @throws {TypeError} for a symbol, and for memory that is shared or resizable.
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

/**
 * Checks class and tag: the Blob of React Native has no tag, one of another realm another class.
 */
function isBlob(data: unknown): data is BlobLike {
  const { Blob } = globalThis as { readonly Blob?: new () => object };
  return (Blob !== undefined && data instanceof Blob) || /^(Blob|File)$/.test(tagOf(data));
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Copies a message, because the caller may write to its buffer again. */
export function copyOf(data: SocketData): SocketData {
  const message = sendable(data);
  if (typeof message === 'string' || !('byteLength' in message)) return message;
  if (message.byteLength === 0) return new Uint8Array(0); // it may be detached
  if (!ArrayBuffer.isView(message)) return new Uint8Array(message).slice().buffer; // any realm's
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength).slice();
}

/** Returns the size of a message in bytes, with text in UTF-8. */
export function byteLength(data: unknown): number {
  if (typeof data === 'string') return utf8Length(data);
  const { byteLength, size } = data as { byteLength?: number; size?: number };
  return byteLength ?? size ?? 0;
}

/** The prefix of the ids of pings for confirmations. No other ping may use it. */
export const ID_PREFIX = '_';
