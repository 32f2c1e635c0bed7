import type { WebSocketLike } from '@wirebeat/core';
import IsomorphicWebSocket from 'isomorphic-ws';

/** What makes a WebSocket: the browser's class, that of `ws`, or one that imitates them. */
export interface WebSocketConstructor {
  new (url: string, protocols?: string[]): WebSocketLike;
}

/**
 * The constructor that is used where none is passed: the runtime's own in browsers, workers, Deno,
 * Bun and workerd, that of `ws` in Node.
 */
export function defaultWebSocket(): WebSocketConstructor {
  return IsomorphicWebSocket as unknown as WebSocketConstructor;
}
