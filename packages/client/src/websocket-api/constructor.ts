import type { WebSocketLike } from '@wirebeat/core';
import IsomorphicWebSocket from 'isomorphic-ws';

/** What makes a WebSocket: the browser's class, that of `ws`, or one that imitates them. */
export interface WebSocketConstructor {
  new (url: string, protocols?: string[]): WebSocketLike;
}

/**
 * The class that is used where none is passed: the global `WebSocket`, also one that a test has put
 * there. In place of Node's own it is that of `ws`. Undefined where there is neither.
 */
export function defaultWebSocket(): WebSocketConstructor | undefined {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  const fallback = IsomorphicWebSocket as unknown as WebSocketConstructor | undefined;
  if (fallback === undefined) return WebSocket; // the build for other runtimes than Node is without `ws`
  return WebSocket === undefined || isUndici(WebSocket) ? fallback : WebSocket;
}

/**
 * Whether it is the class of undici, which Node has since version 22: that cannot terminate a dead
 * connection, and shows neither protocol Pings nor the status of a refusal. Only its source tells it
 * from what takes its place in a test.
 */
function isUndici(type: WebSocketConstructor): boolean {
  return Function.prototype.toString.call(type).includes('webidl.');
}
