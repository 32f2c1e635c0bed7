import type { Millis, Scheduler, WebSocketLike } from '@wirebeat/core';

/** What is used of a socket of `ws`. */
export interface ServerSocket extends WebSocketLike {
  readonly bufferedAmount: number;
  send(data: never): void;
  send(data: never, options: { compress: boolean }, callback: () => void): void;
  ping(data: string, mask: boolean | undefined, callback: () => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: as Node's event emitters have it
  emit(name: any, ...args: any[]): boolean;
  /** Reads no more. */
  pause(): void;
  /** Whether that was called, by the application: what the peer sends is not read. */
  readonly isPaused?: boolean;
  terminate(): void;
}

/** What counts the bytes that were received: a `Socket` of `node:net`, as a request has one. */
export interface ByteCounter {
  readonly bytesRead: number;
}

/** A peer that reads has read our Close frame by then. */
const CLOSE_WAIT: Millis = 1_000;

/** What brings news of the peer. The `close` and the errors of a socket stay the application's. */
const BROUGHT: ReadonlySet<unknown> = new Set(['message', 'ping', 'pong']);

/**
 * Lets nothing that the peer has sent reach the application any more: `ws` reads on what had arrived
 * before a socket was terminated. Leaves no trace once the socket has closed.
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

/** Ends the connection with this code, and reads nothing more of what the peer sends. */
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
