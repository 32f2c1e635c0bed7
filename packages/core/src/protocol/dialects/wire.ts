import type { Wire } from './dialect.ts';

/** Joins the parts of one message, all text or all binary; `undefined` if they are empty. */
export function joinWire(parts: readonly Wire[]): Wire | undefined {
  if (parts.some((part) => typeof part === 'string')) return parts.join('') || undefined;
  const bytes = parts as readonly Uint8Array[];
  const length = bytes.reduce((sum, part) => sum + part.length, 0);
  if (length === 0) return undefined;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of bytes) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Returns the bytes of a UTF-16 code unit in UTF-8; each half of a surrogate pair counts two. */
export function utf8Bytes(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
}

/**
 * The message in what a socket sends or receives: text, bytes, or, as `ws` receives it, the bytes of
 * text. `undefined` if it cannot be read now, such as a `Blob`.
 */
export function wireOf(data: unknown, isText: boolean): Wire | undefined {
  if (typeof data === 'string') return data;
  if (isText) return String(data); // a Buffer
  if (ArrayBuffer.isView(data))
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  // Also one of another realm, which `instanceof` does not recognize.
  const isBuffer = Object.prototype.toString.call(data) === '[object ArrayBuffer]';
  return isBuffer ? new Uint8Array(data as ArrayBuffer) : undefined;
}
