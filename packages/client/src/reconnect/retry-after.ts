import type { Millis } from '@wirebeat/core';

/** The beginning of the three formats of RFC 9110 §5.6.7, up to the time of day. */
const HTTP_DATE = /^[A-Z]\w+,? .+ \d\d:\d\d:\d\d/;

/**
 * Reads `Retry-After` (RFC 9110 §10.2.3), and returns ms. The header has seconds or a date. A date
 * is compared with the `Date` header of the server, because the local clock may be wrong. Undefined
 * if it is absent or malformed.
 */
export function readRetryAfter(headers: Readonly<Record<string, unknown>>): Millis | undefined {
  const value = `${headers['retry-after']}`;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const wait = readDate(value) - (readDate(`${headers['date']}`) || Date.now());
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Returns ms since 1970, or NaN. The `asctime()` format names no time zone; it is GMT too. */
function readDate(text: string): number {
  if (!HTTP_DATE.test(text)) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}

/** Reads `retryAfter=5000`, in ms, from a close reason. */
export function retryAfterInReason(text: string): Millis | undefined {
  const digits = /\bretryAfter=(\d+)/.exec(text)?.[1];
  return digits === undefined ? digits : Number(digits);
}
