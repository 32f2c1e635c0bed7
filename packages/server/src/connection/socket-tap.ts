import { type Beat, readBeat } from '@wirebeat/core';
import type { ServerSocket } from './server-socket.ts';
import { SharedOverride } from './shared-override.ts';

/** What is told of a socket. */
export interface SocketPort {
  /** A message came: undefined or the beat that it is. A beat goes no further. */
  receiveMessage(beat: Beat | undefined): void;
  receiveProtocolPing(): void;
  /** Whether it is ours: then it goes no further. */
  receiveProtocolPong(payload: Uint8Array): boolean;
  /** The application is about to send something. */
  sending(): void;
  /** The last fragment of a message was sent. `held`: the ping that waited for that, if any did. */
  messageEnded(held: Beat | undefined): void;
  closed(code: number, text: string): void;
}

type Method = (this: unknown, ...args: never[]) => unknown;

const ignore = (): void => {};

/**
 * Shows what the sockets of one server receive and send before the application sees it, and keeps
 * beats from the application: `ws` delivers by a method that can be overridden on the one object, so
 * no listener sees a beat, whenever it was added.
 *
 * The functions are the same for all sockets, and find by the socket who watches it: closures for
 * each would take more than all else that a connection needs.
 */
export class SocketTap {
  readonly #watcherOf: (socket: unknown) => SocketPort | undefined;
  /** Sockets that the application is sending a message on in fragments, and the ping that waits. */
  readonly #fragmented: WeakMap<object, { held: Beat | undefined }> = new WeakMap();
  readonly #emit: SharedOverride = new SharedOverride('emit', (emit) => this.#emitOver(emit));
  readonly #send: SharedOverride = new SharedOverride('send', (send) => this.#sendOver(send));

  /** `watcherOf` finds who watches a socket; undefined if nobody does any more. */
  constructor(watcherOf: (socket: unknown) => SocketPort | undefined) {
    this.#watcherOf = watcherOf;
  }

  open(socket: ServerSocket): void {
    this.#send.put(socket);
    this.#emit.put(socket);
  }

  /** Leaves no trace on the socket. */
  close(socket: ServerSocket): void {
    this.#emit.takeOff(socket);
    this.#send.takeOff(socket);
    this.#fragmented.delete(socket);
  }

  /**
   * Whether the application has sent a part of a message, and not yet the last (`ws`, `fin: false`).
   * A text sent meanwhile would become a part of that message: RFC 6455 §5.4 lets only control frames
   * in between.
   */
  isMidMessage(socket: ServerSocket): boolean {
    return this.#fragmented.has(socket);
  }

  /** Keeps a ping until the message has ended: one, which has the values of earlier ones too. */
  hold(socket: ServerSocket, ping: Beat): void {
    const message = this.#fragmented.get(socket);
    if (message === undefined) return;
    const { held } = message;
    const values = held?.values || ping.values ? { ...held?.values, ...ping.values } : undefined;
    message.held = { type: 'ping', id: ping.id ?? held?.id, values };
  }

  /** Sends a text of ours by that `send` which the socket had before. */
  send(socket: ServerSocket, text: string, sent: () => void = ignore): void {
    this.#send
      .original(socket)
      .call(socket, text as never, { compress: false } as never, sent as never);
  }

  #emitOver(emit: Method): Method {
    const watcherOf = this.#watcherOf;
    return function (this: unknown, ...args: never[]): unknown {
      const name = args[0] as unknown;
      if (name === 'message' || name === 'ping' || name === 'pong' || name === 'close') {
        const watcher = watcherOf(this);
        if (watcher !== undefined && tell(watcher, args)) return true;
      }
      return emit.apply(this, args);
    };
  }

  #sendOver(send: Method): Method {
    const watcherOf = this.#watcherOf;
    const fragmented = this.#fragmented;
    return function (this: unknown, ...args: never[]): unknown {
      const watcher = watcherOf(this);
      if (watcher === undefined) return send.apply(this, args);
      watcher.sending();
      const sent = send.apply(this, args);
      const socket = this as object;
      const { fin = true } = (args[1] ?? {}) as { readonly fin?: boolean };
      if (!fin) {
        if (!fragmented.has(socket)) fragmented.set(socket, { held: undefined });
      } else if (fragmented.has(socket)) {
        const held = fragmented.get(socket)?.held;
        fragmented.delete(socket);
        watcher.messageEnded(held);
      }
      return sent;
    };
  }
}

/** Whether that was for us alone. */
function tell(watcher: SocketPort, [name, first, second]: unknown[]): boolean {
  switch (name) {
    case 'message': {
      const beat = second === true ? undefined : readBeat(first);
      watcher.receiveMessage(beat);
      return beat !== undefined;
    }
    case 'ping':
      watcher.receiveProtocolPing();
      return false;
    case 'pong':
      return watcher.receiveProtocolPong(first as Uint8Array);
    default: // 'close'
      watcher.closed(first as number, String(second));
      return false;
  }
}
