/** The values of `readyState` in the standard. */
export const ReadyState = { Connecting: 0, Open: 1, Closing: 2, Closed: 3 } as const;

/** The messages that a WebSocket can send. */
export type SocketData = string | ArrayBuffer | ArrayBufferView | BlobLike;

/** The parts of a `Blob` that are used. */
export interface BlobLike {
  readonly size: number;
  readonly type: string;
}

/** The parts of an event that are used. */
export interface SocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly wasClean?: boolean;
  readonly timeStamp?: number;
  stopImmediatePropagation?(): void;
}

/**
 * The parts of a WebSocket that wirebeat uses. The classes of browsers, Node, Deno, Bun and `ws`
 * have them, and compatible classes do too.
 *
 * A separate type, so that the public types need neither `lib: ["dom"]` nor `@types/ws`.
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
