import { interceptCalls, type WebSocketLike } from '@wirebeat/core';
import { RuntimeHeartbeat } from '../runtime/runtime-heartbeat.ts';
import type { RuntimeOptions } from '../runtime/runtime-options.ts';
import type { RuntimePort } from '../runtime/runtime-port.ts';
import { checkMembers } from './check-members.ts';

/** The part of the `WebSocket` of `Deno.upgradeWebSocket` that is used. */
export interface DenoSocket extends WebSocketLike {
  readonly bufferedAmount: number;
}

const PORT: RuntimePort<DenoSocket> = {
  send: (socket, text) => {
    const { send } = Object.getPrototypeOf(socket) as DenoSocket; // below the one that is watched
    send.call(socket, text as never);
  },
  close: (socket, code, reason) => socket.close(code, reason),
  bufferedBytes: (socket) => socket.bufferedAmount,
  isOpen: (socket) => socket.readyState === 1,
};

/**
 * The heartbeat of a server of `Deno.serve`. Deno can send no protocol Pings, so clients that send
 * application pings are sent application pings, and other clients are left to Deno's `idleTimeout`.
 *
 * @example
 * const heartbeat = new DenoHeartbeat();
 * Deno.serve((request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   heartbeat.attach(socket, request);
 *   return response;
 * });
 */
export class DenoHeartbeat<Socket extends DenoSocket = DenoSocket> extends RuntimeHeartbeat<
  Socket,
  object
> {
  readonly #releases: Set<() => void> = new Set();

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(options?: RuntimeOptions<Socket, object>) {
    super(PORT, options);
  }

  /**
   * Adds the heartbeat to a socket. Call it before you add a listener for `message`: a listener that was
   * there earlier also receives the heartbeats. `request` is passed to `session.user`.
   *
   * @throws {InvalidOptionError} if `socket` is not a WebSocket of Deno.
   */
  attach(socket: Socket, request?: object): void {
    checkMembers('socket', socket, ['send', 'close', 'addEventListener'], 'a WebSocket of Deno');
    const release = this.#listen(socket, request);
    this.#releases.add(release);
    socket.addEventListener('close', () => this.#releases.delete(release), { once: true });
    if (socket.readyState === 1) this.opened(socket, request);
  }

  override detach(): void {
    super.detach();
    for (const release of this.#releases) release();
    this.#releases.clear();
  }

  /** Returns a function that removes all listeners. */
  #listen(socket: Socket, request: object | undefined): () => void {
    const listeners = {
      open: () => this.opened(socket, request),
      message: (event: { readonly data: unknown; stopImmediatePropagation(): void }) => {
        if (this.message(socket, event.data)) event.stopImmediatePropagation();
      },
      close: ({ code, reason }: { readonly code: number; readonly reason: string }) =>
        this.closed(socket, code, reason),
    };
    for (const [name, listener] of Object.entries(listeners)) {
      socket.addEventListener(name, listener);
    }
    const restore = interceptCalls(socket, 'send', () => this.sending(socket));
    return () => {
      restore();
      for (const [name, listener] of Object.entries(listeners)) {
        socket.removeEventListener(name, listener);
      }
    };
  }
}
