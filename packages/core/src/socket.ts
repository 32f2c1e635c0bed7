/** `readyState` of a WebSocket, as the standard numbers it. */
export const ReadyState = { Connecting: 0, Open: 1, Closing: 2, Closed: 3 } as const;

/** What may be sent. */
export type SocketData = string | ArrayBuffer | ArrayBufferView | BlobLike;

/** What is used of a `Blob`. */
export interface BlobLike {
  readonly size: number;
  readonly type: string;
}

/** What is used of a listener's event. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
  stopImmediatePropagation?(): void;
}

/**
 * What wirebeat uses of a WebSocket. The browser's, Node's, Deno's, Bun's and that of `ws` fit, and
 * so do classes that imitate them.
 *
 * Its own type, so that the public types need neither `lib: ["dom"]` nor `@types/ws`.
 */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: never): void;
  close(code?: number, reason?: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  addEventListener(type: any, listener: any, options?: any): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  removeEventListener(type: any, listener: any, options?: any): void;
}
