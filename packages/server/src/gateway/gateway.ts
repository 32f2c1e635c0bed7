import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Instant, Millis, Scheduler } from '@wirebeat/core';
import { drawPayload } from '../connection/ping-payload.ts';
import { Drain, type DrainOptions, resolveDrainOptions } from '../drain.ts';
import { HandleEmitter } from '../emitter.ts';
import { TimingPolicy } from '../timing/timing-policy.ts';
import { refusalFor } from './admission.ts';
import { type ConnectionEnds, GatewayConnection } from './connection.ts';
import type { GatewayContext } from './context.ts';
import { EndHistory } from './end-history.ts';
import type { ConnectionEvents, RefuseReason } from './events.ts';
import type { Address } from './http/address.ts';
import type { Accepted } from './http/dial.ts';
import { Handshake, type UpgradeRequest } from './http/handshake.ts';
import { GatewayListener, type ListenOptions } from './http/listener.ts';
import {
  type GatewayOptions,
  type ResolvedGatewayOptions,
  resolveGatewayOptions,
} from './options.ts';
import { StallWatch } from './stall-watch.ts';
import type { GatewayStatus } from './status.ts';
import { TrafficCount } from './tunnel/traffic-count.ts';

/**
 * The events of a {@link Gateway}: the events of its connections, each with its connection, and
 * `refuse`.
 */
export type GatewayEvents = {
  readonly [Name in keyof ConnectionEvents]: ConnectionEvents[Name] & {
    readonly connection: GatewayConnection;
  };
} & {
  /** Emitted when a handshake fails. */
  readonly refuse: {
    readonly request: IncomingMessage;
    readonly status: number;
    readonly reason: RefuseReason;
    readonly error: Error | undefined;
  };
};

/**
 * Creates a gateway in front of a WebSocket server that supports protocol Pings but not application
 * pings. The gateway gives each page a heartbeat from end to end, and passes all other bytes on
 * unchanged. It does not dial or listen until you call one of its methods.
 *
 * @throws {InvalidOptionError} if an option is out of range or unknown.
 * @example
 * const gateway = createGateway({ upstream: 'ws://127.0.0.1:8765' });
 * await gateway.listen({ port: 8080 });
 */
export function createGateway(options: GatewayOptions): Gateway {
  return new Gateway(options);
}

/** A gateway, as {@link createGateway} returns it. Emits {@link GatewayEvents}. */
export class Gateway extends HandleEmitter<GatewayEvents> {
  /**
   * Handles an upgrade request of an `http` or `https` server: `server.on('upgrade',
   * gateway.handleUpgrade)`. From then on, the gateway owns the socket, even if the handshake fails.
   */
  readonly handleUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  #options: ResolvedGatewayOptions;
  #context: GatewayContext;
  readonly #scheduler: Scheduler;
  readonly #since: Instant;
  readonly #tally: TrafficCount = new TrafficCount();
  readonly #connections: Set<GatewayConnection> = new Set();
  readonly #handshakes: Set<Handshake> = new Set();
  readonly #listeners: Set<GatewayListener> = new Set();
  #drain: Drain | undefined;
  #isClosed = false;
  #opened = 0;

  /** @throws {InvalidOptionError} in the same cases as {@link createGateway}. */
  constructor(options: GatewayOptions) {
    super();
    const resolved = resolveGatewayOptions(options);
    this.#options = resolved;
    this.#scheduler = resolved.page.pingPlanner.scheduler;
    this.#since = this.#scheduler.now();
    this.#context = contextOf(resolved, {
      tally: this.#tally,
      endHistory: new EndHistory(),
      stallWatch: new StallWatch(this.#scheduler),
    });
    this.handleUpgrade = (request, socket, head) => this.#shakeHands({ request, socket, head });
  }

  /** The open connections. */
  get connections(): ReadonlySet<GatewayConnection> {
    return this.#connections;
  }

  /**
   * Opens a listener. A gateway can have several.
   *
   * Rejects with the system's error if it cannot listen, and with {@link InvalidOptionError} if an
   * option is invalid.
   */
  async listen(options: ListenOptions): Promise<GatewayListener> {
    const listener = await GatewayListener.open(options, this.#options, this.handleUpgrade);
    this.#listeners.add(listener);
    if (this.#isClosed) listener.close();
    return listener;
  }

  /**
   * Replaces the options. Open connections keep theirs; new ones use the new options.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown. Then nothing changes.
   */
  update(options: GatewayOptions): void {
    const resolved = resolveGatewayOptions(options);
    this.#options = resolved;
    this.#context = contextOf(resolved, this.#context);
    for (const listener of this.#listeners) listener.update(resolved);
  }

  /** Returns the state and the counters of the gateway as plain data. */
  status(): GatewayStatus {
    const { maxConnections, maxHeapBytes } = this.#options;
    const count = (fits: (connection: GatewayConnection) => boolean) =>
      [...this.#connections].filter(fits).length;
    return {
      state: this.#state,
      uptime: this.#scheduler.now() - this.#since,
      open: this.#connections.size,
      maxConnections,
      maxHeapBytes,
      handshaking: this.#handshakes.size,
      speaking: count(({ speaks }) => speaks),
      unresponsive: count(({ isResponsive }) => isResponsive === false),
      suspect: count(({ isSuspect }) => isSuspect),
      counters: this.#tally.counters,
      latency: this.#tally.latencies,
    };
  }

  /**
   * Closes all connections with 1012 at staggered times over `within`, and tells each client when to
   * reconnect. New requests are answered with 503. One second after `within`, the gateway drops the
   * connections that have not closed. Then it closes all listeners and resolves. A second call resolves
   * together with the first.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown.
   */
  async drain(options?: DrainOptions): Promise<void> {
    const resolved = resolveDrainOptions(options);
    const { random } = this.#options.page.timing;
    const clock = { scheduler: this.#scheduler, random };
    this.#drain ??= new Drain(this.#connections, resolved, clock);
    await this.#drain.done;
    await this.close();
  }

  /**
   * Drops all connections and handshakes and closes all listeners at once. Resolves when no connection
   * is left.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drain?.cancel();
    for (const handshake of this.#handshakes) handshake.cancel();
    for (const connection of this.#connections) connection.terminate();
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    while (this.#connections.size > 0) {
      await new Promise((resolve) => this.once('end', resolve));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #state(): GatewayStatus['state'] {
    if (this.#isClosed) return 'closed';
    return this.#drain === undefined ? 'running' : 'draining';
  }

  #shakeHands(upgrade: UpgradeRequest): void {
    const { socket, request } = upgrade;
    tuneForSmallFrames(socket);
    const handshake = new Handshake(upgrade, this.#options, {
      scheduler: this.#scheduler,
      refusal: () => this.#refusal(),
      accepted: (answer, address, early) => {
        this.#handshakes.delete(handshake);
        this.#connect({ ...upgrade, head: early }, answer, address);
      },
      refused: (status, reason, error) => {
        this.#handshakes.delete(handshake);
        this.#tally.refused[reason] += 1;
        this.emit('refuse', { request, status, reason, error });
      },
    });
    this.#handshakes.add(handshake);
    void handshake.run();
  }

  #refusal(): ReturnType<typeof refusalFor> {
    const taken = this.#connections.size + this.#handshakes.size - 1; // without this handshake
    return refusalFor({ ...this.#options, isClosing: this.#state !== 'running', taken });
  }

  #connect(
    { request, socket: page, head }: UpgradeRequest,
    answer: Accepted,
    { url }: Address,
  ): void {
    const { socket: upstream, response } = answer;
    const protocol = response.headers['sec-websocket-protocol'] ?? '';
    const { remoteAddress } = request.socket;
    tuneForSmallFrames(upstream);
    this.#opened += 1;
    const [path = '/'] = (request.url ?? '/').split('?');
    const sockets = { page, upstream };
    const ends = { id: this.#opened, sockets, url, path, protocol, remoteAddress };
    const connection = this.#createConnection(ends);
    this.#connections.add(connection);
    this.#context.stallWatch.start();
    this.#tally.accepted += 1;
    this.#options.page.pingPlanner.opening(() =>
      connection.open({ page: head, upstream: answer.head }),
    );
    if (this.#isClosed) connection.terminate();
    else this.#drain?.opened(connection);
  }

  /**
   * A method of its own, because a closure in the handshake code would keep the request and the
   * response in memory for the life of the connection.
   */
  #createConnection(ends: ConnectionEnds): GatewayConnection {
    const connection: GatewayConnection = new GatewayConnection(
      ends,
      this.#context,
      (name, event) => this.#emit(connection, name, event),
    );
    return connection;
  }

  #emit<Name extends keyof ConnectionEvents>(
    connection: GatewayConnection,
    name: Name,
    event: ConnectionEvents[Name],
  ): void {
    if (name === 'stall') {
      this.#tally.stalled(this.#scheduler.now(), (event as ConnectionEvents['stall']).lateBy);
    } else if (name === 'pong') {
      this.#tally.answered(event as ConnectionEvents['pong'], connection.endToEndLatency);
    } else if (name === 'end') {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#context.stallWatch.stop();
    }
    this.emit(name, { ...event, connection } as unknown as GatewayEvents[Name]);
    if (name === 'end') this.#drain?.look();
  }
}

/** {@link Gateway.update} keeps the last three. */
function contextOf(
  options: ResolvedGatewayOptions,
  { tally, endHistory, stallWatch }: Pick<GatewayContext, 'tally' | 'endHistory' | 'stallWatch'>,
): GatewayContext {
  const { page, upstreamTiming: timing } = options;
  const { pingPlanner, timing: pageTiming } = page;
  const { scheduler, wheel } = pingPlanner;
  const ownPings = { timing, advertised: false, pingPlanner, whenUnresponsive: false } as const;
  return {
    ...options,
    ...page,
    scheduler,
    wheel,
    hasListener: (name) => name === 'pong', // the gateway itself counts pongs
    policy: new TimingPolicy(page),
    upstreamTiming: new TimingPolicy(ownPings).timing,
    payload: drawPayload(pageTiming.random),
    ...{ tally, endHistory, stallWatch },
  };
}

/**
 * Turns off Nagle's algorithm, so that small frames are sent at once, and the HTTP timeout of the
 * socket.
 */
function tuneForSmallFrames(socket: Duplex): void {
  const { setNoDelay, setTimeout } = socket as Partial<Socket>;
  setNoDelay?.call(socket, true);
  setTimeout?.call(socket, 0 satisfies Millis);
}
