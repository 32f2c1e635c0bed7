import type { Wire } from './dialect.ts';

/** Puts the parts of one message together, all of one kind; `undefined` if nothing is in them. */
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

/** Bytes that a code unit of a text takes in UTF-8; each half of a surrogate pair takes two. */
export function utf8Bytes(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
}
