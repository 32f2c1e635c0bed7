import {
  checkNames,
  HEARTBEAT_OPTION_NAMES,
  type HeartbeatOptions,
  InvalidOptionError,
  initialTiming,
  ReadyState,
  resolveHeartbeatOptions,
  type Scheduler,
  SystemScheduler,
  type Timing,
} from '@wirebeat/core';
import { HandleEmitter } from './emitter.ts';
import {
  drawPayload,
  Liveness,
  type LivenessEvents,
  type LivenessListener,
  type ServerSocket,
} from './liveness.ts';

/** What is used of a `WebSocketServer` of `ws`. */
export interface WebSocketServerLike<Socket extends ServerSocket> {
  /** Undefined with `clientTracking: false`. */
  readonly clients?: Set<Socket>;
  prependListener(event: 'connection', listener: (socket: Socket) => void): unknown;
  off(event: 'connection', listener: (socket: Socket) => void): unknown;
}

/** Options of {@link attachHeartbeat}. */
export interface ServerOptions extends HeartbeatOptions {
  /** 1.2 times the client's, so that the page drives. @default 30_000 */
  readonly pingInterval?: number | false;
  /** @default 20_000 */
  readonly pingTimeout?: number | false;
  /** Part of `pingInterval` that chance takes away, in [0, 0.999]. @default 0.1 */
  readonly jitter?: number;
  /** @default Math.random */
  readonly random?: () => number;
  /** Clock and timers. @default those of the runtime, which keep no process alive */
  readonly scheduler?: Scheduler;
}

/** The events of a {@link ServerHeartbeat}: those of its connections, each with its socket. */
export type ServerEvents<Socket> = {
  readonly [Name in keyof LivenessEvents]: LivenessEvents[Name] & {
    readonly socket: Socket;
    readonly connection: Liveness;
  };
};

/** Every default of the server, with its reason. */
const DEFAULTS = {
  pingInterval: 30_000, // 1.2 times the client's 25 s: whoever's time comes first pings for both
  pingTimeout: 20_000, // a server loses nothing by patience; the page finds a dead link first
  jitter: 0.1, // connections that were made together drift apart
} as const;

/**
 * Watches over every connection of a `ws` server, also those that are open already: answers
 * application pings before any listener of the application sees them, sends protocol Pings into
 * silence, measures the latency of both tiers, and terminates peers that are dead.
 *
 * @throws {InvalidOptionError} if an option is out of its range or unknown, or `server` is none.
 */
export function attachHeartbeat<Socket extends ServerSocket>(
  server: WebSocketServerLike<Socket>,
  options?: ServerOptions,
): ServerHeartbeat<Socket> {
  return new ServerHeartbeat(server, options);
}

/** What {@link attachHeartbeat} returns: an emitter of {@link ServerEvents}. */
export class ServerHeartbeat<Socket extends ServerSocket> extends HandleEmitter<
  ServerEvents<Socket>
> {
  readonly #server: WebSocketServerLike<Socket>;
  readonly #timing: Timing; // shared by all connections
  readonly #scheduler: Scheduler;
  readonly #payload: string; // of our protocol Pings
  readonly #connections: Map<Socket, Liveness> = new Map();
  readonly #watch = (socket: Socket): void => this.#attach(socket);

  /** @throws {InvalidOptionError} as {@link attachHeartbeat} does. */
  constructor(server: WebSocketServerLike<Socket>, options: ServerOptions = {}) {
    super();
    checkNames('options', options, [...HEARTBEAT_OPTION_NAMES, 'scheduler']);
    if (typeof server?.prependListener !== 'function') {
      throw new InvalidOptionError('server', 'a WebSocketServer of `ws`', server);
    }
    const {
      scheduler = new SystemScheduler({ unref: true }),
      pingInterval = DEFAULTS.pingInterval,
      pingTimeout = DEFAULTS.pingTimeout,
      jitter = DEFAULTS.jitter,
      random = Math.random,
      ...given
    } = options;
    const timing = resolveHeartbeatOptions({
      ...given,
      pingInterval,
      pingTimeout,
      jitter,
      random,
    });
    this.#timing = initialTiming(timing);
    this.#scheduler = scheduler;
    this.#payload = drawPayload(timing.random);
    this.#server = server;
    server.prependListener('connection', this.#watch);
    for (const socket of server.clients ?? []) this.#attach(socket);
  }

  /** The heartbeat of one connection; undefined if it has ended or is of another server. */
  get(socket: Socket): Liveness | undefined {
    return this.#connections.get(socket);
  }

  /** The heartbeats of all open connections. */
  get connections(): ReadonlyMap<Socket, Liveness> {
    return this.#connections;
  }

  /** Ends the watch and leaves no trace on server and sockets, which stay open. */
  detach(): void {
    this.#server.off('connection', this.#watch);
    for (const connection of this.#connections.values()) connection.detach();
    this.removeAllListeners();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  #attach(socket: Socket): void {
    if (socket.readyState !== ReadyState.Open || this.#connections.has(socket)) return;
    const tell: LivenessListener = (name, event) => {
      if (name === 'end') this.#connections.delete(socket);
      this.emit(name, { ...event, socket, connection } as ServerEvents<Socket>[typeof name]);
    };
    const connection = new Liveness(socket, this.#timing, this.#scheduler, this.#payload, tell);
    this.#connections.set(socket, connection);
    connection.open();
  }
}
