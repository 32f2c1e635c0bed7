import { type IncomingMessage, STATUS_CODES, validateHeaderValue } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { acceptOf, type Refusal } from './check-request.ts';
import { answerHeaders } from './headers.ts';

type Headers = readonly (readonly [name: string, value: string])[];

/** Statuses without a body: RFC 9110 §15.4.5, and all 1xx. */
const BODILESS = new Set([204, 304]);

/**
 * Accepts the handshake of a page (RFC 6455 §4.2.2), with the other headers of the upstream's response.
 */
export function accept(page: Duplex, request: IncomingMessage, answer: IncomingMessage): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const protocol = answer.headers['sec-websocket-protocol'];
  write(page, 101, [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptOf(key)],
    ...(protocol === undefined ? [] : [['Sec-WebSocket-Protocol', protocol] as const]),
    ...answerHeaders(answer.rawHeaders),
  ]);
}

/** Refuses the handshake of a page. The connection closes after the response. */
export function refuse(page: Duplex, { status, body, headers = {} }: Refusal): void {
  const text = body === '' ? `${STATUS_CODES[status] ?? status}\n` : `${body}\n`;
  write(page, status, [
    ['Connection', 'close'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(text))],
    ...Object.entries(headers),
  ]);
  page.end(text);
}

/** Passes the refusal of an upstream on to the page: status, headers and body. */
export function handOn(page: Duplex, answer: IncomingMessage, done: () => void): void {
  const { statusCode: status = 502, rawHeaders } = answer;
  write(page, status, [['Connection', 'close'], ...answerHeaders(rawHeaders)]);
  if (BODILESS.has(status)) answer.resume();
  pipeline(answer, page, done);
}

function write(page: Duplex, status: number, headers: Headers): void {
  const lines = headers.map(([name, value]) => {
    validateHeaderValue(name, value); // prevents header injection
    return `${name}: ${value}`;
  });
  const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
  page.write(`${[start, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}
