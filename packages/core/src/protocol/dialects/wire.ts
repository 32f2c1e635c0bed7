import { IS_PAGE } from '../../development.ts';
import type { Wire } from './dialect.ts';

/**
 * Returns what is left of a message: the message itself if nothing was taken out, `undefined` if nothing is
 * left. `isTaken` says of each unit whether it was.
 */
export function restOf(message: Wire, isTaken: readonly boolean[]): Wire | undefined {
  if (isTaken.length === 0) return message;
  const isLeft = (_: unknown, at: number) => !isTaken[at];
  const rest =
    typeof message === 'string'
      ? message.split('').filter(isLeft).join('')
      : message.filter(isLeft);
  return rest.length > 0 ? rest : undefined;
}

/** Returns the bytes of a UTF-16 code unit in UTF-8; each half of a surrogate pair counts two. */
export function utf8Bytes(code: number): number {
  if (code < 0x80) return 1;
  return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
}

/**
 * The message in what a socket sends or receives: text, bytes, or, as `ws` receives it, the bytes of
 * text. The empty text if it cannot be read now, such as a `Blob`.
 */
export function wireOf(data: unknown, isText?: boolean): Wire {
  // A view, or a buffer, of any realm; `instanceof` would recognize only those of this one.
  const { buffer = data, byteOffset, byteLength } = Object(data) as Partial<Uint8Array>;
  const isBinary = byteLength && !isText;
  return isBinary
    ? new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
    : textOf(data, isText);
}

/** The same for dialects whose beats are text: everything else is as good as empty. */
export function textOf(data: unknown, isText?: boolean): string {
  if (typeof data === 'string') return data;
  return !IS_PAGE && isText ? String(data) : ''; // in a page, text comes as a string
}
