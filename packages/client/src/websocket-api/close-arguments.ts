import { CloseCode } from '@wirebeat/core';
import { utf8Length } from '../outbox/utf8-length.ts';
import { domException, syntaxError } from './address.ts';

/**
 * The longest reason in bytes: the 125 of a control frame minus two for the code (RFC 6455 §5.5).
 */
const MAX_REASON_BYTES = 123;

/**
 * Reads the arguments of `close()` as the standard does. A reason without a code gets code 1000.
 *
 * @throws {DOMException} `InvalidAccessError` if `code` is neither 1000 nor in [3000, 4999],
 * `SyntaxError` if `reason` is longer than 123 bytes in UTF-8.
 */
export function readClose(code: unknown, reason: unknown): [code?: number, reason?: string] {
  const number = code === undefined ? undefined : round(Number(code));
  const text = reason === undefined ? '' : `${reason}`;
  if (number !== undefined && number !== CloseCode.Normal && !(number >= 3000 && number <= 4999)) {
    throw domException(
      `A close code is 1000 or in [3000, 4999], not ${code}`,
      'InvalidAccessError',
    );
  }
  if (utf8Length(text) > MAX_REASON_BYTES) {
    throw syntaxError(`A close reason has at most ${MAX_REASON_BYTES} bytes`);
  }
  return number === undefined && text === '' ? [] : [number ?? CloseCode.Normal, text];
}

/**
 * Rounds as [Clamp] of WebIDL does, half to even. Does not clamp, because such codes are refused.
 */
function round(value: number): number {
  const up = Math.round(value);
  return up - value === 0.5 && up % 2 !== 0 ? up - 1 : up;
}
