import { CloseCode } from '@wirebeat/core';

/** The longest reason: a control frame's 125 bytes less two for the code, RFC 6455 §5.5. */
const MAX_REASON_BYTES = 123;

/**
 * What the standard asks of the arguments of `close()`.
 *
 * @throws {DOMException} `InvalidAccessError` if `code` is neither 1000 nor in [3000, 4999],
 * `SyntaxError` if `reason` is longer than 123 bytes in UTF-8.
 */
export function checkClose(code: number | undefined, reason: string | undefined): void {
  const isInteger = code === undefined || Number.isInteger(code);
  const mayBeSent =
    code === undefined || code === CloseCode.Normal || (code >= 3000 && code <= 4999);
  if (!mayBeSent || !isInteger) {
    throw new DOMException(
      `A close code is 1000 or in [3000, 4999], not ${code}`,
      'InvalidAccessError',
    );
  }
  if (reason !== undefined && new TextEncoder().encode(reason).length > MAX_REASON_BYTES) {
    throw new DOMException(`A close reason has at most ${MAX_REASON_BYTES} bytes`, 'SyntaxError');
  }
}
