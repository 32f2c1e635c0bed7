import type { DialError } from '../connection/dial-error.ts';

type Headers = DialError['progress']['headers'];

/** Names the programs that say they answered. */
export function answeredBy({ server, via }: Headers): string {
  const names = [server, via].filter((name) => name !== undefined);
  return names.length === 0 ? '' : ` Answered by ${names.join(', via ')}.`;
}

/** The headers of an answer without cookies, which may be secret. */
export function shownHeaders(headers: Headers): object {
  const { 'set-cookie': _, ...rest } = headers;
  return rest;
}
