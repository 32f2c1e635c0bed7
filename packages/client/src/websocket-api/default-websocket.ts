import type { WebSocketLike } from '@wirebeat/core';
import IsomorphicWebSocket from 'isomorphic-ws';

/** A WebSocket class: that of the browser, of `ws`, or a compatible one. */
export interface WebSocketConstructor {
  new (url: string, protocols?: string[]): WebSocketLike;
}

/**
 * Returns the default class: the global `WebSocket`, including one set by a test. In Node, the
 * class of `ws` replaces the native one. Undefined if there is neither.
 */
export function defaultWebSocket(): WebSocketConstructor | undefined {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  const fallback = IsomorphicWebSocket as unknown as WebSocketConstructor | undefined;
  if (fallback === undefined) return WebSocket; // only the build for Node includes `ws`
  return WebSocket === undefined || isUndici(WebSocket) ? fallback : WebSocket;
}

/**
 * Whether this is the class of undici, which Node has since version 22. It cannot terminate a dead
 * connection, and reports neither protocol Pings nor the status of a refused handshake. Only its
 * source distinguishes it from a class set by a test.
 */
function isUndici(type: WebSocketConstructor): boolean {
  return Function.prototype.toString.call(type).includes('webidl.');
}
