import { type Beat, readBeat } from '@wirebeat/core';
import type { ServerSocket } from './server-socket.ts';
import { SharedOverride } from './shared-override.ts';

/** Receives what happens on a socket. */
export interface SocketPort {
  /**
   * A message arrived. `beat` is the ping or pong in it, or `undefined`. The application does not
   * receive pings and pongs.
   */
  receiveMessage(beat: Beat | undefined): void;
  receiveProtocolPing(): void;
  /** Returns whether the Pong is ours. If so, the application does not receive it. */
  receiveProtocolPong(payload: Uint8Array): boolean;
  /** The application is about to send something. */
  sending(): void;
  /** The last fragment of a message was sent. `held` is the ping that waited for it, if any. */
  messageEnded(held: Beat | undefined): void;
  closed(code: number, text: string): void;
}

type Method = (this: unknown, ...args: never[]) => unknown;

const ignore = (): void => {};

/**
 * Reads what the sockets of one server receive and send before the application does, and hides pings
 * and pongs from the application. `ws` delivers data through the `emit` method of the socket, so
 * overriding this method hides them from all listeners, whenever they were added.
 *
 * All sockets share the same functions, which look up the connection by socket. Closures for each
 * socket would use more memory than the rest of the connection.
 */
export class SocketTap {
  readonly #watcherOf: (socket: unknown) => SocketPort | undefined;
  /**
   * Sockets on which the application is sending a fragmented message, each with the ping that waits for
   * its end.
   */
  readonly #fragmented: WeakMap<object, { held: Beat | undefined }> = new WeakMap();
  readonly #emit: SharedOverride = new SharedOverride('emit', (emit) => this.#emitOver(emit));
  readonly #send: SharedOverride = new SharedOverride('send', (send) => this.#sendOver(send));

  /** `watcherOf` returns the port of a socket, or `undefined` if its heartbeat has ended. */
  constructor(watcherOf: (socket: unknown) => SocketPort | undefined) {
    this.#watcherOf = watcherOf;
  }

  open(socket: ServerSocket): void {
    this.#send.put(socket);
    this.#emit.put(socket);
  }

  /** Restores the socket. */
  close(socket: ServerSocket): void {
    this.#emit.takeOff(socket);
    this.#send.takeOff(socket);
    this.#fragmented.delete(socket);
  }

  /**
   * Whether the application has sent a part of a message but not the last one (`fin: false` of `ws`). A
   * text sent in between would become part of that message: RFC 6455 §5.4 allows only control frames
   * there.
   */
  isMidMessage(socket: ServerSocket): boolean {
    return this.#fragmented.has(socket);
  }

  /**
   * Holds a ping until the message has ended. Only one is held: it also has the values of earlier ones.
   */
  hold(socket: ServerSocket, ping: Beat): void {
    const message = this.#fragmented.get(socket);
    if (message === undefined) return;
    const { held } = message;
    const values = held?.values || ping.values ? { ...held?.values, ...ping.values } : undefined;
    message.held = { type: 'ping', id: ping.id ?? held?.id, values };
  }

  /** Sends a heartbeat with the `send` method that the socket had before. */
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

/**
 * Passes an event of the socket to its port. Returns whether to hide the event from the application.
 */
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
