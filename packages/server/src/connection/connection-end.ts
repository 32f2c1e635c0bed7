import { CloseCode, type Millis, type Scheduler, type TimeoutReason } from '@wirebeat/core';
import type { ServerSocket } from './server-socket.ts';

/** How a connection ended. */
export interface ConnectionEnd {
  /**
   * `detached`: the connection stays open without a heartbeat. `replaced`: a newer connection came with
   * the same session. `flood`: the client sent more pings than `pingLimit` allows. `unresponsive`: the
   * application tier was silent for too long.
   */
  readonly reason: TimeoutReason | 'closed' | 'detached' | 'replaced' | 'flood' | 'unresponsive';
  /** Close code (RFC 6455 §7.1.5), if the connection has closed. */
  readonly code: number | undefined;
  /** Close reason (RFC 6455 §7.1.6). */
  readonly text: string;
}

/** IANA: Service Restart. */
export const SERVICE_RESTART = 1012;

/** Returns the close reason of a restart. `retryAfter`: how long clients are to wait, in whole ms. */
export function restartReason(retryAfter: Millis): string {
  return retryAfter > 0 ? `service restart; retryAfter=${retryAfter}` : 'service restart';
}

/** Closes the connection because the server restarts. */
export function closeForRestart(socket: ServerSocket, retryAfter: Millis): void {
  socket.close(SERVICE_RESTART, restartReason(retryAfter));
}

export const FLOOD: ConnectionEnd = {
  reason: 'flood',
  code: CloseCode.PolicyViolation,
  text: 'too many pings',
};

export const UNRESPONSIVE: ConnectionEnd = {
  reason: 'unresponsive',
  code: CloseCode.Timeout,
  text: 'the page does not answer',
};

export const REPLACED: ConnectionEnd = {
  reason: 'replaced',
  code: undefined,
  text: 'a newer connection took its place',
};

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
export function closeAndStopReading(
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
