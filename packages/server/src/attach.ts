import type { IncomingMessage } from 'node:http';
import { Heartbeat, InvalidOptionError, ReadyState, type Row } from '@wirebeat/core';
import { checkServer, checkSocket } from './check-server.ts';
import { Announcer } from './connection/announcer.ts';
import { ConnectionMap } from './connection/connection-map.ts';
import { type ConnectionPort, connectionPortOf } from './connection/connection-port.ts';
import type { ConnectionRows } from './connection/connection-rows.ts';
import type { ConnectionEvents } from './connection/events.ts';
import { FastPath } from './connection/fast-path.ts';
import { type HookFailure, type HookName, Hooks, warnOf } from './connection/hooks.ts';
import type { ServerSocket } from './connection/server-socket.ts';
import { SocketTap } from './connection/socket-tap.ts';
import type { ConnectionHeartbeat } from './connection-heartbeat.ts';
import { Drain, type DrainOptions, resolveDrainOptions } from './drain.ts';
import { HandleEmitter } from './emitter.ts';
import { MemoryRegistry } from './fleet/memory-registry.ts';
import type { Presence } from './fleet/presence.ts';
import type { Registry } from './fleet/registry.ts';
import { type RegistryEvents, ServerNode } from './fleet/server-node.ts';
import { isWatched, publish } from './metrics/diagnostics.ts';
import { type ResolvedServerOptions, resolveServerOptions, type ServerOptions } from './options.ts';
import { type Advertisement, checkAdvertisement } from './timing/advertisement.ts';
import { Overload } from './timing/overload.ts';
import type { TimingPolicy } from './timing/timing-policy.ts';

/** The part of a `WebSocketServer` of `ws` that {@link attachHeartbeat} uses. */
export interface WebSocketServerLike<Socket extends ServerSocket> {
  /** Undefined with `clientTracking: false`. */
  readonly clients?: Set<Socket>;
  // These two methods distinguish it from an HTTP server, a socket and the servers of other libraries.
  handleUpgrade(...args: never[]): unknown;
  shouldHandle(...args: never[]): unknown;
  prependListener(event: 'connection', listener: ConnectionListener<Socket>): unknown;
  off(event: 'connection', listener: ConnectionListener<Socket>): unknown;
}

type ConnectionListener<Socket> = (socket: Socket, request: IncomingMessage) => void;

/** The events of a {@link ServerHeartbeat}: the events of its connections, each with its socket. */
export type ServerEvents<Socket> = {
  readonly [Name in keyof ConnectionEvents]: ConnectionEvents[Name] & {
    readonly socket: Socket;
    readonly connection: ConnectionHeartbeat;
  };
} & RegistryEvents & {
    readonly replaced: { readonly by: Socket | undefined };
    /**
     * A hook of the application threw or rejected: a function that you passed as an option, or a
     * listener. The failed call counts as no answer. If `error` has no listener, the first failure of
     * each hook is emitted as a process warning.
     */
    readonly error: HookFailure<Socket>;
  };

/**
 * Adds a heartbeat to every connection of a `ws` server, including those that are already open. It
 * answers application pings before any listener of the application sees them, sends protocol Pings to
 * idle connections, measures the latency of both tiers, and terminates dead peers.
 *
 * @throws {InvalidOptionError} if an option is out of range or unknown, or if `server` is not a
 * `WebSocketServer` of `ws`.
 */
export function attachHeartbeat<Socket extends ServerSocket>(
  server: WebSocketServerLike<Socket>,
  options?: ServerOptions<Socket>,
): ServerHeartbeat<Socket> {
  return new ServerHeartbeat(server, options);
}

/** The heartbeat of one server, as {@link attachHeartbeat} returns it. Emits {@link ServerEvents}. */
export class ServerHeartbeat<Socket extends ServerSocket> extends HandleEmitter<
  ServerEvents<Socket>
> {
  readonly #server: WebSocketServerLike<Socket>;
  readonly #options: ResolvedServerOptions<Socket>;
  readonly #policy: TimingPolicy;
  readonly #context: ConnectionPort;
  readonly #overload: Overload;
  readonly #fastPath: FastPath<Socket>;
  readonly #map: ConnectionMap<Socket>;
  readonly #announcer: Announcer<Socket>;
  readonly #reported: WeakSet<object> = new WeakSet();
  readonly #warned: Set<HookName> = new Set();
  #isDetached = false;
  #drain: Drain | undefined;
  #node: ServerNode | undefined;
  readonly #watch = (socket: Socket, request?: IncomingMessage) => this.#attach(socket, request);

  /** @throws {InvalidOptionError} in the same cases as {@link attachHeartbeat}. */
  constructor(server: WebSocketServerLike<Socket>, options: ServerOptions<Socket> = {}) {
    super((error, event) => this.#listenerFailed(error, event));
    const hooks = new Hooks((failure) => this.#failed(failure));
    const resolved = resolveServerOptions(options, (random) => hooks.guardRandom(random));
    checkServer(server);
    const { timing, pingPlanner } = resolved;
    const { scheduler } = pingPlanner;
    this.#fastPath = new FastPath<Socket>(() => this.#context, pingPlanner.granule);
    this.#options = resolved;
    this.#context = connectionPortOf(resolved as ResolvedServerOptions<never>, hooks, {
      tap: new SocketTap(this.#fastPath),
      hasListener: (name) => this.#hasListener(name),
      emit: (row, name, event) => this.#emit(row, name, event),
    });
    const { policy } = this.#context;
    this.#policy = policy;
    this.#map = new ConnectionMap(this.#rows);
    const { random } = timing;
    this.#announcer = new Announcer(this.#rows, { policy, scheduler, random });
    this.#overload = new Overload(scheduler, (isOn) => {
      if (policy.slow(isOn)) this.#retime();
    });
    if (resolved.registry !== undefined) this.#join(resolved.registry, true);
    this.#server = server;
    server.prependListener('connection', this.#watch);
    for (const socket of server.clients ?? []) this.#attach(socket);
  }

  /**
   * Returns the heartbeat of one connection, or `undefined` if the connection has ended or belongs to
   * another server.
   */
  get(socket: Socket): ConnectionHeartbeat | undefined {
    return this.#map.get(socket);
  }

  /**
   * Adds a heartbeat to one socket that the server has made. Use it for an upgrade that you handle
   * yourself with `handleUpgrade`, without emitting `connection`. Returns the same heartbeat each time,
   * or `undefined` if the socket is no longer open or the heartbeat was detached.
   *
   * @throws {InvalidOptionError} if `socket` is not a WebSocket of `ws`.
   */
  watch(socket: Socket, request?: IncomingMessage): ConnectionHeartbeat | undefined {
    checkSocket(socket);
    if (!this.#isDetached) this.#attach(socket, request);
    return this.get(socket);
  }

  /** The heartbeats of all open connections, by socket. */
  get connections(): ReadonlyMap<Socket, ConnectionHeartbeat> {
    return this.#map;
  }

  /**
   * Who is connected: on all servers that share the registry, or without a registry on this server.
   *
   * @throws {InvalidOptionError} if sessions are off.
   */
  get presence(): Presence {
    this.#node ??= this.#join(new MemoryRegistry(), false);
    return this.#node.presence;
  }

  /** Whether this server could not renew its lease, so that none of its connections is current. */
  get isIsolated(): boolean {
    return this.#options.registry !== undefined && this.#node?.isIsolated === true;
  }

  /**
   * Number of users present on all servers, when this server last renewed its lease. `undefined`
   * without a registry, unless `presence` was used.
   */
  get presentUsers(): number | undefined {
    return this.#node?.users;
  }

  /**
   * Asks all clients to use a new timing from now on. Clients that have sent an application ping are
   * sent the new timing at staggered times over one client interval; the others receive it with the
   * answer to their first ping. The server's own interval becomes 1.2 times the new client interval,
   * for each connection from its next ping on. A value that you leave out does not change.
   *
   * @throws {InvalidOptionError} if a value is out of range, both are missing, or a name is unknown.
   */
  update(advertisement: Advertisement): void {
    this.#policy.advertise(checkAdvertisement('advertisement', advertisement));
    this.#retime();
  }

  /**
   * Closes all connections with 1012 at staggered times over `within`, and tells each client when to
   * reconnect. Connection i of n closes after (i + random)/n × `within`. The server stops checking all
   * of them, and closes connections that open meanwhile at once. Resolves when no connection is left.
   * One second after `within`, the server terminates the connections that have not closed. A second
   * call returns the same promise.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown.
   */
  drain(options?: DrainOptions): Promise<void> {
    const resolved = resolveDrainOptions(options);
    const { pingPlanner, timing } = this.#options;
    const clock = { scheduler: pingPlanner.scheduler, random: timing.random };
    this.#announcer.cancel();
    this.#drain ??= new Drain(this.#map, resolved, {
      ...clock,
      ended: () => this.#node?.flush(),
    });
    this.#node?.drain(resolved.retryAfter);
    return this.#drain.done;
  }

  /**
   * Detaches the heartbeat from the server and all its sockets and restores them. The sockets stay
   * open.
   */
  detach(): void {
    this.#isDetached = true;
    this.#server.off('connection', this.#watch);
    this.#announcer.cancel();
    this.#overload.close();
    this.#drain?.cancel();
    for (const connection of [...this.#map.values()]) connection.detach();
    void this.#node?.close();
    this.removeAllListeners();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  #join(registry: Registry, isShared: boolean): ServerNode {
    const { sessions } = this.#context;
    if (sessions === undefined) {
      throw new InvalidOptionError(
        'session',
        'anything but false, because presence needs it',
        false,
      );
    }
    this.#node = new ServerNode(registry, isShared, {
      scheduler: this.#options.preciseScheduler,
      sessions,
      detectionBound: () => new Heartbeat(this.#policy.timing).detectionBound,
      emit: (name, event) => this.#emitFor(name, event),
      failed: (error) => this.#failed({ hook: 'registry', error, socket: undefined }),
      heartbeatOf: ({ socket }) => this.#map.get(socket as Socket),
    });
    return this.#node;
  }

  #emitFor<Name extends keyof RegistryEvents>(name: Name, event: RegistryEvents[Name]): void {
    if (this.hasListener(name)) this.emit(name, event as never);
    if (name === 'isolated' && this.#options.whenIsolated === 'close') {
      for (const connection of this.#rows.holders()) connection.closeForRestart(0);
    }
  }

  get #rows(): ConnectionRows<Socket> {
    return this.#fastPath.rows;
  }

  #attach(socket: Socket, request?: IncomingMessage): void {
    const rows = this.#rows;
    if (socket.readyState !== ReadyState.Open || this.#map.has(socket)) return;
    const { row } = rows.add(socket, request?.socket);
    const { sessions } = this.#context;
    if (sessions?.asksForUser) sessions.enter(rows.handle(row), request);
    rows.act(row, (connection) => this.#options.pingPlanner.opening(() => connection.open()));
    const handle = this.#drain && this.#map.get(socket);
    if (handle !== undefined) this.#drain?.opened(handle);
  }

  #emit<Name extends keyof ConnectionEvents>(
    row: Row,
    name: Name,
    event: ConnectionEvents[Name],
  ): void {
    const rows = this.#rows;
    const isObserved = this.#hasListener(name);
    const socket = rows.socket(row);
    const connection = isObserved ? rows.handle(row) : undefined;
    if (name === 'end') rows.remove(row);
    else if (name === 'stall') this.#overload.stalled((event as ConnectionEvents['stall']).lateBy);
    if (connection !== undefined) {
      const emitted = { ...event, socket, connection };
      publish(name, emitted);
      this.emit(name, emitted as never);
    }
    if (name === 'end') this.#drain?.look();
  }

  #failed(failure: HookFailure): void {
    const isObserved = this.#hasListener('error');
    if (isObserved) {
      this.#reported.add(failure);
      publish('error', failure);
      this.emit('error', failure as HookFailure<Socket>);
    } else this.#warn(failure);
  }

  #listenerFailed(error: unknown, event: unknown): void {
    const { socket } = (event ?? {}) as { readonly socket?: ServerSocket };
    const failure: HookFailure = { hook: 'listener', error, socket };
    if (this.#reported.has(event as object))
      this.#warn(failure); // the listener that failed is one of `error` itself
    else this.#failed(failure);
  }

  /** Warns once per hook, because a peer could cause very many failures. */
  #warn(failure: HookFailure): void {
    if (this.#warned.has(failure.hook)) return;
    this.#warned.add(failure.hook);
    warnOf(failure);
  }

  #hasListener(name: keyof ConnectionEvents | 'error'): boolean {
    return this.hasListener(name) || isWatched(name);
  }

  /** Gives every connection the new timing from its next ping on, and sends it to the clients. */
  #retime(): void {
    this.#rows.retime();
    this.#announcer.announce();
  }
}
