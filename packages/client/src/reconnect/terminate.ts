import { CloseCode, type WebSocketLike } from '@wirebeat/core';

/**
 * Ends a socket whose link is dead, without waiting for the handshake that will not come.
 *
 * 3008 is IANA's Timeout; 1011, which servers use for it, is closed to pages.
 */
export function terminate(socket: WebSocketLike, reason = 'ping timeout'): void {
  socket.addEventListener('error', () => {}); // `ws` throws what nobody listens to
  const { terminate } = socket as { terminate?(): void };
  const reconnect = reconnectOf(socket);
  try {
    if (reconnect !== undefined) reconnect.call(socket, CloseCode.Timeout, reason);
    else if (typeof terminate === 'function') terminate.call(socket);
    else socket.close(CloseCode.Timeout, reason);
  } catch {
    // It cannot be closed any better, and nobody waits for it.
  }
}

/** What sockets have that come back by themselves: those of partysocket and reconnecting-websocket. */
export function reconnectOf(socket: object): ((code: number, reason: string) => void) | undefined {
  const { reconnect } = socket as { reconnect?: (code: number, reason: string) => void };
  return typeof reconnect === 'function' ? reconnect : undefined;
}
