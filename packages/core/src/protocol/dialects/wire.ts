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
