import type { WebSocketLike } from '@wirebeat/core';

/** The part of a socket of `ws` that the server uses. */
export interface ServerSocket extends WebSocketLike {
  readonly bufferedAmount: number;
  send(data: never): void;
  send(data: never, options: { compress: boolean }, callback: () => void): void;
  ping(data: string, mask: boolean | undefined, callback: () => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: the signature of Node's event emitters
  emit(name: any, ...args: any[]): boolean;
  /** Stops reading. */
  pause(): void;
  /** Whether the application has called `pause`, so that data from the peer is not read. */
  readonly isPaused?: boolean;
  terminate(): void;
}

/** Counts the bytes received: the `Socket` of `node:net` that belongs to a request. */
export interface ByteCounter {
  readonly bytesRead: number;
}
