import {
  InvalidOptionError,
  type Scheduler,
  type SocketData,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import { messageEvent } from '../websocket-api/dom-events.ts';
import type { DomAbortSignal } from '../websocket-api/dom-types.ts';

/** The socket of one connection, as passed to the function that prepares it. Its `send()` bypasses the queue. */
export interface ReadySocket {
  readonly url: string;
  readonly protocol: string;
  send(data: SocketData): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of event
  addEventListener(type: string, listener: (event: any) => void, options?: object): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of event
  removeEventListener(type: string, listener: (event: any) => void): void;
}

/** The connection that a {@link ReadyChoice} prepares. */
export interface ReadyConnection {
  /** @internal */
  readonly socket: WebSocketLike | undefined;
  /** @internal What was received and not emitted yet. */
  readonly held: readonly unknown[];
  /** @internal Aborted at the end of the connection. */
  readonly signal: DomAbortSignal;
  /** @internal Sends ahead of the queue. */
  send(data: SocketData): void;
}

/** What a {@link ReadyChoice} needs of the owner of the connection. */
export interface ReadyPort {
  /** @internal */
  readonly url: string;
  /** @internal */
  readonly scheduler: Scheduler;
  /** @internal Emits at most so many of the held messages. */
  emitHeld(connection: ReadyConnection, most: number): void;
  /** @internal The application has prepared the connection or, with `false`, has failed to. */
  prepared(connection: ReadyConnection, isReady: boolean, error?: unknown): void;
}

/**
 * What the socket uses of the result of {@link prepareWith}. Called with each connection. Returns a
 * function that is called with each message of that connection.
 */
export type ReadyChoice = (connection: ReadyConnection, port: ReadyPort) => (data: unknown) => void;

/** More messages than this are emitted at once: a hidden page runs only one timer a second. */
const MAX_TURNS = 100;

/**
 * Prepares each new connection, for example with the authentication of the application. Pass the result
 * as the `ready` option. It adds no bytes to a page that does not import it.
 *
 * ```ts
 * const ready = prepareWith(async (socket, { signal }) => {
 *   socket.send('login');
 *   await answer(socket, signal);
 * });
 * const socket = new ReconnectingWebSocket(url, protocols, { ready });
 * ```
 *
 * Messages sent with {@link ReconnectingWebSocket.send} wait in the queue until the promise resolves. If
 * the promise rejects, the attempt fails. The signal is aborted if the connection ends first.
 *
 * The socket has no pings and pongs. Messages that were held while the connection was the standby are
 * emitted as if they came now. Each has its own turn of the event loop, so that `prepare` can wait for one
 * after the other. Messages received in the meantime are queued behind them.
 *
 * @throws {InvalidOptionError} if `prepare` is not a function.
 */
export function prepareWith(
  prepare: (
    socket: ReadySocket,
    context: { readonly signal: DomAbortSignal },
  ) => Promise<unknown> | unknown,
): ReadyChoice {
  if (typeof prepare !== 'function') throw new InvalidOptionError('prepare', 'a function', prepare);
  return (connection, port) => {
    const { signal } = connection;
    const { scheduler } = port;
    const target = new EventTarget();
    let timer: Timer | undefined;
    const takeTurn = () => {
      const { length } = connection.held;
      if (length === 0) return;
      timer = scheduler.at(scheduler.now() + 1, () => {
        port.emitHeld(connection, length > MAX_TURNS ? length : 1);
        takeTurn();
      });
    };
    const run = async () => {
      try {
        await prepare(socketFor(connection, port.url, target), { signal });
        timer?.cancel();
        port.prepared(connection, true);
      } catch (error) {
        port.prepared(connection, false, error);
      }
    };
    takeTurn();
    signal.addEventListener('abort', () => timer?.cancel());
    void run();
    return (data) => void target.dispatchEvent(messageEvent(data, '') as Event);
  };
}

/** Returns what `prepare` sees of a connection. `target` has its messages, without pings and pongs. */
function socketFor(connection: ReadyConnection, url: string, target: EventTarget): ReadySocket {
  const socket = connection.socket as WebSocketLike & { readonly protocol?: string }; // it is open
  const targetOf = (type: string) => (type === 'message' ? target : socket);
  return {
    url,
    protocol: socket.protocol ?? '',
    send: (data) => connection.send(data),
    addEventListener: (type, ...args) => targetOf(type).addEventListener(type, ...args),
    removeEventListener: (type, ...args) => targetOf(type).removeEventListener(type, ...args),
  };
}
