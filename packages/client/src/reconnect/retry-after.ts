import type { Millis } from '@wirebeat/core';

/** How each of the three formats of RFC 9110 §5.6.7 begins and goes on, the time of day included. */
const HTTP_DATE = /^[A-Z]\w+,? .+ \d\d:\d\d:\d\d/;

/**
 * Reads `Retry-After`, RFC 9110 §10.2.3: seconds, or a date, which is compared with the server's own
 * `Date` because our clock may be wrong. Undefined if it is absent or malformed.
 */
export function readRetryAfter(headers: Readonly<Record<string, unknown>>): Millis | undefined {
  const value = `${headers['retry-after']}`;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const wait = readDate(value) - (readDate(`${headers['date']}`) || Date.now());
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Ms since 1970, or NaN. The format of `asctime()` names no zone: it is GMT as in the others. */
function readDate(text: string): number {
  if (!HTTP_DATE.test(text)) return Number.NaN;
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
}
