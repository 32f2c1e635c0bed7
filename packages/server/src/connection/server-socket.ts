import type { Millis, Scheduler, WebSocketLike } from '@wirebeat/core';

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

/** How long to wait for the peer to read our Close frame before the socket is terminated. */
const CLOSE_WAIT: Millis = 1_000;

/** The events that carry data from the peer. The application still receives `close` and `error`. */
const BROUGHT: ReadonlySet<unknown> = new Set(['message', 'ping', 'pong']);

/**
 * Hides everything that the peer sends from the application from now on. `ws` keeps emitting data that
 * arrived before a socket was terminated. Restores the socket when it has closed.
 */
export function dropLateBytes(socket: ServerSocket): void {
  const before = Object.getOwnPropertyDescriptor(socket, 'emit');
  const { emit } = socket;
  const drop = function (this: unknown, name: unknown, ...args: unknown[]): boolean {
    if (BROUGHT.has(name)) return true;
    if (name === 'close' && Reflect.get(socket, 'emit') === drop) {
      if (before === undefined) Reflect.deleteProperty(socket, 'emit');
      else Object.defineProperty(socket, 'emit', before);
    }
    return Reflect.apply(emit, this, [name, ...args]);
  };
  Object.defineProperty(socket, 'emit', { value: drop, writable: true, configurable: true });
}

/** Closes the connection with this code and reads nothing more from the peer. */
export function expel(
  socket: ServerSocket,
  scheduler: Scheduler,
  { code, text }: { readonly code: number | undefined; readonly text: string },
): void {
  dropLateBytes(socket);
  socket.close(code, text);
  socket.pause();
  const timer = scheduler.at(scheduler.now() + CLOSE_WAIT, () => socket.terminate());
  socket.addEventListener('close', () => timer.cancel());
}
