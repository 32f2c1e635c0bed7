import { InvalidOptionError } from '@wirebeat/core';
import { type ServerEvents, ServerHeartbeat, type WebSocketServerLike } from '../attach.ts';
import type { ConnectionHeartbeat } from '../connection-heartbeat.ts';
import type { DrainOptions } from '../drain.ts';
import type { Presence } from '../fleet/presence.ts';
import type { Advertisement } from '../timing/advertisement.ts';
import { Connections } from './connections.ts';
import { type RuntimeOptions, serverOptionsOf } from './runtime-options.ts';
import type { RuntimePort } from './runtime-port.ts';
import { RuntimeSocket } from './runtime-socket.ts';

const ignore = (): void => {};

/** In place of a server of `ws`: its sockets are passed to `watch`. */
const NO_SERVER: WebSocketServerLike<never> = {
  clients: undefined as never,
  handleUpgrade: ignore,
  shouldHandle: ignore,
  prependListener: ignore,
  off: ignore,
};

type Listener<Event> = (event: Event) => unknown;

/**
 * The heartbeat of a server on any runtime. The adapter of the runtime reports what happens on its sockets;
 * everything else is the server of {@link ServerHeartbeat}, on which each of them is a
 * {@link RuntimeSocket}.
 */
export class RuntimeHeartbeat<Socket extends object, Request = unknown> {
  /** The heartbeats of all open connections, by socket. */
  readonly connections: ReadonlyMap<Socket, ConnectionHeartbeat>;
  readonly #port: RuntimePort<Socket>;
  readonly #server: ServerHeartbeat<RuntimeSocket<Socket>>;
  readonly #sockets: WeakMap<Socket, RuntimeSocket<Socket>> = new WeakMap();
  /** The listener that was added for each listener of the application. */
  readonly #listeners: WeakMap<object, Listener<never>> = new WeakMap();

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(port: RuntimePort<Socket>, options: RuntimeOptions<Socket, Request> = {}) {
    const server = NO_SERVER as WebSocketServerLike<RuntimeSocket<Socket>>;
    this.#port = port;
    this.#server = new ServerHeartbeat(server, serverOptionsOf(options, port.ping !== undefined));
    this.connections = new Connections(this.#server.connections, (raw) => this.#sockets.get(raw));
  }

  /**
   * Returns the heartbeat of one connection, or `undefined` if the connection has ended or belongs to
   * another server.
   */
  get(socket: Socket): ConnectionHeartbeat | undefined {
    return this.connections.get(socket);
  }

  /** See `presence` of `ServerHeartbeat`. */
  get presence(): Presence {
    return this.#server.presence;
  }

  /** See `isIsolated` of `ServerHeartbeat`. */
  get isIsolated(): boolean {
    return this.#server.isIsolated;
  }

  /** See `presentUsers` of `ServerHeartbeat`. */
  get presentUsers(): number | undefined {
    return this.#server.presentUsers;
  }

  /**
   * Asks all clients to use a new timing from now on: see `update` of `ServerHeartbeat`.
   *
   * @throws {InvalidOptionError} if a value is out of range, both are missing, or a name is unknown.
   */
  update(advertisement: Advertisement): void {
    this.#server.update(advertisement);
  }

  /**
   * Closes all connections with 1012 at staggered times, and tells each client when to reconnect: see
   * `drain` of `ServerHeartbeat`.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown.
   */
  drain(options?: DrainOptions): Promise<void> {
    return this.#server.drain(options);
  }

  /** Ends the heartbeat. The sockets stay open, and no event of them is taken any more. */
  detach(): void {
    this.#server.detach();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  /** Calls `listener` at each event with this name. */
  on<Name extends keyof ServerEvents<Socket> & string>(
    name: Name,
    listener: Listener<ServerEvents<Socket>[Name]>,
  ): this {
    this.#server.on(name, this.#listenerFor(listener) as never);
    return this;
  }

  /** Calls `listener` at the next event with this name. */
  once<Name extends keyof ServerEvents<Socket> & string>(
    name: Name,
    listener: Listener<ServerEvents<Socket>[Name]>,
  ): this {
    this.#server.once(name, this.#listenerFor(listener) as never);
    return this;
  }

  /** Removes a listener added with `on` or `once`. */
  off<Name extends keyof ServerEvents<Socket> & string>(
    name: Name,
    listener: Listener<ServerEvents<Socket>[Name]>,
  ): this {
    this.#server.off(name, this.#listenerFor(listener) as never);
    return this;
  }

  // What the adapter reports. Each method that returns a boolean returns whether the application must not
  // see the event, because it was a heartbeat or the server has ended the connection.

  /** A socket has opened. Returns its heartbeat, or `undefined` after `detach`. */
  opened(socket: Socket, request?: Request): ConnectionHeartbeat | undefined {
    if (!this.#sockets.has(socket)) {
      this.#sockets.set(socket, new RuntimeSocket(socket, this.#port));
    }
    const watched = this.#sockets.get(socket) as RuntimeSocket<Socket>;
    return this.#server.watch(watched, { request } as never);
  }

  /** A message has arrived: a string if it is text, anything else if it is binary. */
  message(socket: Socket, data: unknown): boolean {
    return this.#sockets.get(socket)?.message(data) === true;
  }

  /** A protocol Ping has arrived. */
  pinged(socket: Socket): boolean {
    return this.#sockets.get(socket)?.pinged() === true;
  }

  /** A protocol Pong has arrived. */
  ponged(socket: Socket, payload: Uint8Array): boolean {
    return this.#sockets.get(socket)?.ponged(payload) === true;
  }

  /**
   * The application is about to send something. If this is never called, a dead connection that the
   * application uses is found with the next ping, not a little earlier.
   */
  sending(socket: Socket): void {
    this.#sockets.get(socket)?.sending();
  }

  /** A socket has closed. */
  closed(socket: Socket, code: number, reason: string): void {
    this.#sockets.get(socket)?.closed(code, reason);
  }

  #listenerFor(listener: Listener<never>): Listener<never> {
    if (typeof listener !== 'function') {
      throw new InvalidOptionError('listener', 'a function', listener);
    }
    const known = this.#listeners.get(listener);
    if (known !== undefined) return known;
    const made: Listener<object> = (event) => listener(withRaw(event) as never);
    this.#listeners.set(listener, made);
    return made;
  }
}

/** Returns an event with the sockets of the runtime. */
function withRaw(event: object): object {
  const { socket, by } = event as { readonly socket?: unknown; readonly by?: unknown };
  return {
    ...event,
    ...('socket' in event && { socket: rawOf(socket) }),
    ...('by' in event && { by: rawOf(by) }),
  };
}

function rawOf(socket: unknown): unknown {
  return socket instanceof RuntimeSocket ? socket.raw : socket;
}
