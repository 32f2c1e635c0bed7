import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The GUID of the handshake: RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const VERSION = '13';
/** 16 bytes in base64: RFC 6455 §4.1. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
/** A token: RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** A response other than 101. */
export interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Returns why a handshake is invalid (RFC 6455 §4.2.1), or `undefined` if it is valid. */
export function faultOf(request: IncomingMessage): Refusal | undefined {
  const { method, headers, url = '', httpVersion } = request;
  const bad = (body: string): Refusal => ({ status: 400, body });
  if (method !== 'GET')
    return { status: 405, body: 'A handshake is a GET.', headers: { Allow: 'GET' } };
  if (httpVersion !== '1.1') return bad('A handshake is of HTTP/1.1.');
  if (!url.startsWith('/')) return bad('A path begins with a slash.');
  if (countOf(request, 'host') !== 1) return bad('The request must have exactly one Host header.'); // RFC 9112 §3.2
  if (!hasToken(headers.upgrade, 'websocket')) return UPGRADE;
  if (!hasToken(headers.connection, 'upgrade')) return bad('The Connection header is not Upgrade.');
  if (headers['sec-websocket-version'] !== VERSION) return UPGRADE;
  const key = headers['sec-websocket-key'];
  if (key === undefined || !KEY.test(key)) return bad('Sec-WebSocket-Key is no key.');
  const protocols = headers['sec-websocket-protocol'];
  if (protocols !== undefined && !areProtocols(protocols))
    return bad('Sec-WebSocket-Protocol is no list.');
  return undefined;
}

/** Tells the client which version is supported: RFC 6455 §4.4, RFC 9110 §15.5.22. */
const UPGRADE: Refusal = {
  status: 426,
  body: 'Only WebSockets of version 13 are served here.',
  headers: { Upgrade: 'websocket', 'Sec-WebSocket-Version': VERSION },
};

/** Returns the number of headers of this name. For some names, `headers` has only the first. */
function countOf({ rawHeaders }: IncomingMessage, name: string): number {
  return rawHeaders.filter((each, index) => index % 2 === 0 && each.toLowerCase() === name).length;
}

/** Computes `Sec-WebSocket-Accept`: RFC 6455 §4.2.2. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64');
}

export function hasToken(header: string | undefined, token: string): boolean {
  return listOf(header).some((each) => each.toLowerCase() === token);
}

export function listOf(header: string | undefined): string[] {
  return (header ?? '').split(',').map((each) => each.trim());
}

/** Subprotocols must be unique: RFC 6455 §4.1. */
function areProtocols(header: string): boolean {
  const protocols = listOf(header);
  return (
    protocols.every((each) => TOKEN.test(each)) && new Set(protocols).size === protocols.length
  );
}
