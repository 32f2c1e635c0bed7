import { CloseCode, type WebSocketLike } from '@wirebeat/core';
import { IS_PAGE } from '../development.ts';

/**
 * Ends a socket on a dead link, without waiting for the closing handshake.
 *
 * Uses close code 3008, Timeout in the registry of IANA, because pages may not send 1011.
 */
export function terminate(socket: WebSocketLike, reason = 'ping timeout'): void {
  ignoreErrors(socket);
  const { terminate } = socket as { terminate?(): void };
  const reconnect = reconnectOf(socket);
  try {
    if (reconnect !== undefined) reconnect.call(socket, CloseCode.Timeout, reason);
    else if (!IS_PAGE && typeof terminate === 'function') terminate.call(socket);
    else socket.close(CloseCode.Timeout, reason);
  } catch {
    // Nothing more can be done to close it, and nothing waits for it.
  }
}

/** `ws` throws errors that have no listener. The sockets of pages do not. */
export function ignoreErrors(socket: WebSocketLike): void {
  if (!IS_PAGE) socket.addEventListener('error', () => {});
}

/** The `reconnect` method of a socket that reconnects itself, as in partysocket, or undefined. */
export function reconnectOf(socket: object): ((code: number, reason: string) => void) | undefined {
  const { reconnect } = socket as { reconnect?: (code: number, reason: string) => void };
  return typeof reconnect === 'function' ? reconnect : undefined;
}
