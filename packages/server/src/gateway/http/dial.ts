import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { Address } from './address.ts';
import { acceptOf, hasToken, listOf } from './check-request.ts';
import { UpstreamError } from './upstream-error.ts';

/** Options of {@link dial}. */
export interface DialOptions {
  readonly address: Address;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The `Sec-WebSocket-Protocol` header of the page. */
  readonly protocols: string | undefined;
  readonly tls: ConnectionOptions | undefined;
  /** Aborts the attempt. */
  readonly signal: AbortSignal;
}

/** The upstream has accepted the handshake. */
export interface Accepted {
  readonly response: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The response of the upstream. If it refused, the body has not been read yet. */
export type Answer = Accepted | { readonly response: IncomingMessage; readonly socket?: never };

/**
 * Opens a WebSocket to an upstream: RFC 6455 §4.1. Offers no extension, because the gateway passes
 * bytes on unchanged.
 *
 * Rejects with {@link UpstreamError} if the upstream cannot be reached or its response is invalid.
 */
export function dial(options: DialOptions): Promise<Answer> {
  const { address, headers, protocols, tls, signal } = options;
  const key = randomBytes(16).toString('base64');
  const handshake: RequestOptions = {
    host: address.host,
    port: address.port,
    path: address.path,
    agent: false, // a new TCP connection
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(protocols !== undefined && { 'sec-websocket-protocol': protocols }),
    },
    signal,
  };
  return new Promise((resolve, reject) => {
    const fail = (kind: 'unreachable' | 'invalid', why: { cause?: unknown; detail?: string }) =>
      reject(new UpstreamError({ kind, url: address.url, ...why }));
    const request = address.isSecure
      ? requestSecure({ ...handshake, ...tls })
      : requestPlain(handshake);
    request.on('error', (cause) => fail('unreachable', { cause }));
    request.on('response', (response) => {
      if (response.statusCode !== 101) return resolve({ response });
      // Node treats a 101 without `Upgrade` and `Connection: Upgrade` as an ordinary response.
      response.on('error', () => {}).destroy();
      fail('invalid', { detail: 'its response has no Upgrade header' });
    });
    request.on('upgrade', (response, socket, head) => {
      const detail = faultOfAnswer(response, key, listOf(protocols));
      if (detail === undefined) return resolve({ response, socket, head });
      socket.on('error', () => {}).destroy();
      fail('invalid', { detail });
    });
    request.end();
  });
}

/** Returns what is wrong with the response (RFC 6455 §4.1), or `undefined` if it is valid. */
function faultOfAnswer(
  { statusCode, headers }: IncomingMessage,
  key: string,
  protocols: readonly string[],
): string | undefined {
  if (statusCode !== 101) return `status ${statusCode}`;
  if (!hasToken(headers.upgrade, 'websocket')) return 'it upgrades to something else';
  if (headers['sec-websocket-accept'] !== acceptOf(key)) return 'a wrong Sec-WebSocket-Accept';
  if (headers['sec-websocket-extensions'] !== undefined) return 'an extension nobody asked for';
  const protocol = headers['sec-websocket-protocol'];
  if (protocol === undefined || protocols.includes(protocol)) return undefined;
  return 'a subprotocol nobody asked for';
}
