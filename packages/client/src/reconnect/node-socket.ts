import type { Millis, RefusedHandshake, WebSocketLike } from '@wirebeat/core';
import { watchProtocolPings } from '../socket/protocol-pings.ts';
import { readRetryAfter } from './retry-after.ts';

/** What a server said when it refused the handshake. */
export interface HandshakeRefusal {
  readonly status?: number | undefined;
  /** How long to wait, in ms, from `Retry-After`. */
  readonly retryAfter?: Millis | undefined;
}

/** Receives what only sockets outside of pages report. */
interface NodeSocketPort {
  ping(): void;
  refused(refusal: HandshakeRefusal, error: Error): void;
}

/** The parts of an event emitter of Node that are used. */
interface NodeSocket {
  on?(name: string, listener: (...args: never[]) => void): void;
  off?(name: string, listener: (...args: never[]) => void): void;
}

/**
 * Reports protocol Pings, and the refused handshakes of a socket of `ws`, which others do not report.
 * Returns a function that removes the listeners.
 */
export function watchNodeSocket(given: WebSocketLike, port: NodeSocketPort): () => void {
  const socket = given as NodeSocket;
  const ping = () => port.ping();
  // RFC 9110 §10.2.3 and RFC 6585 §4. With this listener, `ws` emits no error of its own.
  const refused = (_request: unknown, response: RefusedHandshake) => {
    const { statusCode: status, headers } = response;
    const retryAfter = status === 429 || status === 503 ? readRetryAfter(headers) : undefined;
    port.refused({ status, retryAfter }, new Error(`Unexpected server response: ${status}`));
  };
  const release: (() => void)[] = [];
  watchProtocolPings(given, ping, (end) => release.push(end));
  socket.on?.('ping', ping);
  socket.on?.('unexpected-response', refused);
  return () => {
    for (const each of release) each();
    socket.off?.('ping', ping);
    socket.off?.('unexpected-response', refused);
  };
}
