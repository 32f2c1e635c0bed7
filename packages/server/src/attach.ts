import type { IncomingMessage } from 'node:http';
import { ReadyState } from '@wirebeat/core';
import { checkServer, checkSocket } from './check-server.ts';
import { Authentication } from './connection/authentication.ts';
import { Connection } from './connection/connection.ts';
import type { ConnectionHeartbeat } from './connection/connection-heartbeat.ts';
import type { ConnectionPort } from './connection/connection-port.ts';
import type { ConnectionEvents } from './connection/events.ts';
import { type HookFailure, type HookName, Hooks, warnOf } from './connection/hooks.ts';
import { drawPayload } from './connection/ping-payload.ts';
import type { ServerSocket } from './connection/server-socket.ts';
import { SocketTap } from './connection/socket-tap.ts';
import { Drain, type DrainOptions, resolveDrainOptions } from './drain.ts';
import { HandleEmitter } from './emitter.ts';
import { ConnectionMap } from './fleet/connection-map.ts';
import { Sessions, type UserOf } from './fleet/sessions.ts';
import { isWatched, publish } from './metrics/diagnostics.ts';
import { type ResolvedServerOptions, resolveServerOptions, type ServerOptions } from './options.ts';
import { type Advertisement, checkAdvertisement } from './timing/advertisement.ts';
import { Overload } from './timing/overload.ts';
import { Stagger } from './timing/stagger.ts';
import { TimingPolicy } from './timing/timing-policy.ts';

/** What is used of a `WebSocketServer` of `ws`. */
export interface WebSocketServerLike<Socket extends ServerSocket> {
  /** Undefined with `clientTracking: false`. */
  readonly clients?: Set<Socket>;
  // These two tell it from an HTTP server, a socket, and the servers of other libraries.
  handleUpgrade(...args: never[]): unknown;
  shouldHandle(...args: never[]): unknown;
  prependListener(event: 'connection', listener: ConnectionListener<Socket>): unknown;
  off(event: 'connection', listener: ConnectionListener<Socket>): unknown;
}

type ConnectionListener<Socket> = (socket: Socket, request: IncomingMessage) => void;

/** The events of a {@link ServerHeartbeat}: those of its connections, each with its socket. */
export type ServerEvents<Socket> = {
  readonly [Name in keyof ConnectionEvents]: ConnectionEvents[Name] & {
    readonly socket: Socket;
    readonly connection: ConnectionHeartbeat;
  };
} & {
  readonly replaced: { readonly by: Socket };
  /**
   * A hook of the application failed: an option that is a function, or a listener. It has answered
   * nothing, which means no. Without a listener the first failure of each hook is a warning of the
   * process.
   */
  readonly error: HookFailure<Socket>;
};

/**
 * Watches over every connection of a `ws` server, also those that are open already: answers
 * application pings before any listener of the application sees them, sends protocol Pings into
 * silence, measures the latency of both tiers, and terminates peers that are dead.
 *
 * @throws {InvalidOptionError} if an option is out of its range or unknown, or `server` is no
 * `WebSocketServer` of `ws`.
 */
export function attachHeartbeat<Socket extends ServerSocket>(
  server: WebSocketServerLike<Socket>,
  options?: ServerOptions<Socket>,
): ServerHeartbeat<Socket> {
  return new ServerHeartbeat(server, options);
}

/** What {@link attachHeartbeat} returns: an emitter of {@link ServerEvents}. */
export class ServerHeartbeat<Socket extends ServerSocket> extends HandleEmitter<
  ServerEvents<Socket>
> {
  readonly #server: WebSocketServerLike<Socket>;
  readonly #options: ResolvedServerOptions<Socket>;
  readonly #fleet: TimingPolicy;
  readonly #context: ConnectionPort;
  readonly #overload: Overload;
  readonly #connections: ConnectionMap<Socket, Connection> = new ConnectionMap();
  readonly #reported: WeakSet<object> = new WeakSet();
  readonly #warned: Set<HookName> = new Set();
  #opened = 0;
  #isDetached = false;
  #announcing: Stagger<Connection> | undefined;
  #drain: Drain | undefined;
  readonly #watch = (socket: Socket, request?: IncomingMessage) => this.#attach(socket, request);

  /** @throws {InvalidOptionError} as {@link attachHeartbeat} does. */
  constructor(server: WebSocketServerLike<Socket>, options: ServerOptions<Socket> = {}) {
    super((error, event) => this.#listenerFailed(error, event));
    const hooks = new Hooks((failure) => this.#failed(failure));
    const resolved = resolveServerOptions(options, (random) => hooks.guardRandom(random));
    checkServer(server);
    const { timing, metronome, userOf } = resolved;
    const { scheduler } = metronome;
    const fleet = new TimingPolicy(resolved);
    const tap = new SocketTap((socket) => this.#watching(socket as Socket));
    this.#options = resolved;
    this.#fleet = fleet;
    this.#context = {
      fleet,
      scheduler,
      wheel: metronome.wheel,
      tap,
      pongPort: {
        scheduler,
        maxBufferedBytes: resolved.maxBufferedBytes,
        freeBytes: 0,
        isMidMessage: (socket) => tap.isMidMessage(socket),
        bufferedBytes: ({ bufferedAmount }) => bufferedAmount,
        send: (socket, text, sent) => tap.send(socket, text, sent),
      },
      payload: drawPayload(timing.options.random),
      sessions: userOf === false ? undefined : new Sessions(hooks, userOf as UserOf),
      pingLimit: resolved.pingLimit,
      whenDead: resolved.whenDead,
      whenUnresponsive: resolved.whenUnresponsive,
      maxUnresponsive: resolved.maxUnresponsive,
      authentication: new Authentication(
        hooks,
        resolved.authenticated as ((socket: ServerSocket) => unknown) | undefined,
      ),
      hears: (name) => this.#hears(name),
      tell: (connection, socket, name, event) => {
        this.#tell(connection, socket as Socket, name, event);
      },
    };
    this.#overload = new Overload(scheduler, (isOn) => {
      if (fleet.slow(isOn)) this.#retime();
    });
    this.#server = server;
    server.prependListener('connection', this.#watch);
    for (const socket of server.clients ?? []) this.#attach(socket);
  }

  /** The heartbeat of one connection; undefined if it has ended or is of another server. */
  get(socket: Socket): ConnectionHeartbeat | undefined {
    return this.#connections.get(socket);
  }

  /**
   * Watches over one socket that the server has made: for an upgrade that you handle by yourself, with
   * `handleUpgrade`, and without emitting `connection`. Returns its heartbeat: the same each time, and
   * `undefined` if the socket is not open any more or the heartbeat was detached.
   *
   * @throws {InvalidOptionError} if `socket` is not a WebSocket of `ws`.
   */
  watch(socket: Socket, request?: IncomingMessage): ConnectionHeartbeat | undefined {
    checkSocket(socket);
    if (!this.#isDetached) this.#attach(socket, request);
    return this.get(socket);
  }

  /** The heartbeats of all open connections. */
  get connections(): ReadonlyMap<Socket, ConnectionHeartbeat> {
    return this.#connections;
  }

  /**
   * Asks all clients for other timing, from now on: those that have spoken by a ping, spread over
   * the time of one interval of theirs, and others at their first ping. The server's own interval
   * becomes 1.2 times theirs, for each connection from its next beat on. What is absent stays.
   *
   * @throws {InvalidOptionError} if it is out of its range, says nothing, or a name is unknown.
   */
  update(advertisement: Advertisement): void {
    this.#fleet.advertise(checkAdvertisement('advertisement', advertisement));
    this.#retime();
  }

  /**
   * Closes all connections with 1012, spread over `within`, each with a hint when to come back: the
   * i-th of n after (i + random)/n × `within`. None is judged any more; those that come meanwhile
   * are closed at once. Resolves once there is none left; a second after `within` those that have
   * not closed are terminated. Called again, it returns the same.
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   */
  drain(options?: DrainOptions): Promise<void> {
    const resolved = resolveDrainOptions(options);
    const { metronome, timing } = this.#options;
    const clock = { scheduler: metronome.scheduler, random: timing.options.random };
    this.#announcing?.cancel();
    this.#drain ??= new Drain(this.#connections, resolved, clock);
    return this.#drain.done;
  }

  /** Ends the watch and leaves no trace on server and sockets, which stay open. */
  detach(): void {
    this.#isDetached = true;
    this.#server.off('connection', this.#watch);
    this.#announcing?.cancel();
    this.#overload.close();
    this.#drain?.cancel();
    for (const connection of this.#connections.values()) connection.detach();
    this.removeAllListeners();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  #attach(socket: Socket, request?: IncomingMessage): void {
    if (socket.readyState !== ReadyState.Open || this.#connections.has(socket)) return;
    this.#opened += 1;
    const origin = { order: this.#opened, counter: request?.socket };
    const connection = new Connection(socket, this.#context, origin);
    this.#context.sessions?.enter(connection, request);
    this.#connections.add(connection);
    this.#options.metronome.opening(() => connection.open());
    this.#drain?.opened(connection);
  }

  #tell<Name extends keyof ConnectionEvents>(
    connection: ConnectionHeartbeat,
    socket: Socket,
    name: Name,
    event: ConnectionEvents[Name],
  ): void {
    if (name === 'end') this.#connections.delete(socket);
    else if (name === 'stall') this.#overload.stalled((event as ConnectionEvents['stall']).lateBy);
    if (this.#hears(name)) {
      const told = { ...event, socket, connection };
      publish(name, told);
      this.emit(name, told as never);
    }
    if (name === 'end') this.#drain?.look();
  }

  #failed(failure: HookFailure): void {
    const isHeard = this.#hears('error');
    if (isHeard) {
      this.#reported.add(failure);
      publish('error', failure);
      this.emit('error', failure as HookFailure<Socket>);
    } else this.#warn(failure);
  }

  #listenerFailed(error: unknown, event: unknown): void {
    const { socket } = (event ?? {}) as { readonly socket?: ServerSocket };
    const failure: HookFailure = { hook: 'listener', error, socket };
    if (this.#reported.has(event as object))
      this.#warn(failure); // a listener of `error` itself
    else this.#failed(failure);
  }

  /** Once for each hook: a peer could bring about very many. */
  #warn(failure: HookFailure): void {
    if (this.#warned.has(failure.hook)) return;
    this.#warned.add(failure.hook);
    warnOf(failure);
  }

  #hears(name: keyof ConnectionEvents | 'error'): boolean {
    return this.hears(name) || isWatched(name);
  }

  #watching(socket: Socket): Connection | undefined {
    const connection = this.#connections.get(socket);
    return connection?.hasEnded ? undefined : connection;
  }

  /** Every connection goes by other timing from its next beat on, and clients are told. */
  #retime(): void {
    for (const connection of this.#connections.values()) connection.retime();
    this.#announce();
  }

  /** Spread over one interval of the clients: their beats at most double meanwhile. */
  #announce(): void {
    const { clientInterval: within } = this.#fleet;
    const { timing, metronome } = this.#options;
    const { scheduler } = metronome;
    const { random } = timing.options;
    const tell = (connection: Connection) => connection.announce(this.#fleet.welcome ?? {});
    this.#announcing?.cancel();
    const clients = [...this.#connections.values()];
    this.#announcing = new Stagger(clients, tell, { within, scheduler, random });
  }
}
