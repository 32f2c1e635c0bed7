import { type Beat, readBeat } from '@wirebeat/core';
import type { ServerSocket } from './server-socket.ts';
import { SharedOverride } from './shared-override.ts';

/** What is told of a socket. */
export interface SocketWatcher {
  /** A message came: undefined or the beat that it is. A beat goes no further. */
  receiveMessage(beat: Beat | undefined): void;
  receiveProtocolPing(): void;
  /** Whether it is ours: then it goes no further. */
  receiveProtocolPong(payload: Uint8Array): boolean;
  /** The application is about to send something. */
  sending(): void;
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
  readonly #watcherOf: (socket: unknown) => SocketWatcher | undefined;
  readonly #emit: SharedOverride = new SharedOverride('emit', (emit) => this.#emitOver(emit));
  readonly #send: SharedOverride = new SharedOverride('send', (send) => this.#sendOver(send));

  /** `watcherOf` finds who watches a socket; undefined if nobody does any more. */
  constructor(watcherOf: (socket: unknown) => SocketWatcher | undefined) {
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
    return function (this: unknown, ...args: never[]): unknown {
      watcherOf(this)?.sending();
      return send.apply(this, args);
    };
  }
}

/** Whether that was for us alone. */
function tell(watcher: SocketWatcher, [name, first, second]: unknown[]): boolean {
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
