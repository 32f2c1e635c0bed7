// Servers with one real Redis, clients that dial any of them, and a server that only watches.
import { once } from 'node:events';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat, type ServerHeartbeat, type ServerOptions } from '@wirebeat/server';
import { RedisRegistry } from '@wirebeat/server/redis';
import { WebSocket, WebSocketServer } from 'ws';
import { freePort } from '../../programs/free-port.ts';
import { MS } from '../../programs/time-factor.ts';
import type { Connected } from '../../redis/redis-clients.ts';
import type { RedisServer } from '../../redis/redis-server.ts';

export const wait = { timeout: 30_000 * MS };
const TIMING = { pingInterval: 1_000 * MS, pingTimeout: 2_000 * MS };

/** A server that shares sessions. It can be restarted on its port. */
export class Node {
  readonly port: number;
  readonly log: string[] = [];
  readonly #client: Connected;
  readonly #options: ServerOptions<WebSocket>;
  readonly #timing: { readonly lease: number; readonly grace: number };
  #server: WebSocketServer | undefined;
  heartbeat: ServerHeartbeat<WebSocket> | undefined;

  constructor(
    port: number,
    client: Connected,
    timing: { readonly lease: number; readonly grace: number },
    options: ServerOptions<WebSocket> = {},
  ) {
    this.port = port;
    this.#client = client;
    this.#timing = timing;
    this.#options = options;
  }

  async start(): Promise<void> {
    const { call, subscribe } = this.#client;
    const server = new WebSocketServer({ port: this.port, host: '127.0.0.1' });
    const heartbeat = attachHeartbeat(server, {
      ...TIMING,
      registry: new RedisRegistry({ call, subscribe, ...this.#timing }),
      session: {
        user: (_, request) => new URL(request?.url ?? '/', 'ws://host').searchParams.get('user'),
      },
      ...this.#options,
    });
    heartbeat.on('error', () => {}); // Redis is away at times
    for (const name of ['isolated', 'rejoined'] as const) {
      heartbeat.on(name, () => this.log.push(name));
    }
    this.heartbeat = heartbeat;
    this.#server = server;
    await once(server, 'listening');
  }

  /** The epochs of its connections. */
  get epochs(): (number | undefined)[] {
    return [...(this.heartbeat?.connections.values() ?? [])].map(({ epoch }) => epoch);
  }

  /** Drains the server and ends it, as a deploy does. */
  async stop(within: number): Promise<void> {
    await this.heartbeat?.drain({ within });
    this.heartbeat?.detach();
    const server = this.#server;
    for (const socket of server?.clients ?? []) socket.terminate();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
    this.#server = undefined;
  }
}

/** Everything of one test. */
export class Stage {
  readonly nodes: Node[] = [];
  /** What a server without clients sees: `snapshot`, `join ann` and so on. */
  readonly seen: string[] = [];
  /** The codes of all closes of clients. */
  readonly closes: number[] = [];
  readonly clients: ReconnectingWebSocket[] = [];
  /** The user of each client. */
  readonly users: string[] = [];
  readonly redis: RedisServer;
  readonly #timing: { readonly lease: number; readonly grace: number };
  readonly #connect: (port: number) => Promise<Connected>;
  readonly #closers: (() => unknown)[] = [];
  #dials = 0;
  #watcher: ServerHeartbeat<WebSocket> | undefined;

  constructor(
    redis: RedisServer,
    connect: (port: number) => Promise<Connected>,
    timing: { readonly lease: number; readonly grace: number },
  ) {
    this.redis = redis;
    this.#connect = connect;
    this.#timing = timing;
  }

  /** Starts a server. `redisPort` is that of a proxy to Redis, if there is one. */
  async start(options: ServerOptions<WebSocket> = {}, redisPort = this.redis.port): Promise<Node> {
    const client = await this.#connect(redisPort);
    const node = new Node(await freePort(), client, this.#timing, options);
    this.nodes.push(node);
    this.#closers.push(async () => {
      await node.stop(1);
      client.close();
    });
    await node.start();
    return node;
  }

  /** Starts a server without clients that watches. */
  async watch(): Promise<ServerHeartbeat<WebSocket>> {
    const { heartbeat } = await this.start();
    this.nodes.pop(); // no client dials it
    if (heartbeat === undefined) throw new Error('unreachable: it has started');
    this.#watcher = heartbeat;
    const changes = heartbeat.presence.watch();
    await changes.next(); // who joins before the snapshot is part of it, and does not join later
    this.seen.push('snapshot');
    void (async () => {
      for await (const event of changes) {
        this.seen.push(event.type === 'snapshot' ? 'snapshot' : `${event.type} ${event.user}`);
      }
    })();
    return heartbeat;
  }

  /** Opens a client that dials the servers by turns, or only `node`. */
  open(user: string, node?: Node): ReconnectingWebSocket {
    return this.#open(user, () => {
      this.#dials += 1;
      return (node ?? (this.nodes[this.#dials % this.nodes.length] as Node)).port;
    });
  }

  /** Opens a client that dials one port. */
  dial(port: number, user: string): ReconnectingWebSocket {
    return this.#open(user, () => port);
  }

  #open(user: string, port: () => number): ReconnectingWebSocket {
    const url = () => `ws://127.0.0.1:${port()}/?user=${user}`;
    const socket = new ReconnectingWebSocket(url, [], {
      ...TIMING,
      WebSocket: WebSocket as never,
      backoff: { maxDelay: 500 },
    });
    socket.addEventListener('close', ({ code }) => this.closes.push(code));
    this.clients.push(socket);
    this.users.push(user);
    return socket;
  }

  /** The names of the servers that hold connections of a user, one for each connection. */
  async placesOf(user: string): Promise<string[]> {
    const places = (await this.#watcher?.presence.find(user)) ?? [];
    return places.map(({ node }) => node);
  }

  /** The epochs of all connections that hold their sessions, lowest first. */
  get current(): number[] {
    return this.nodes
      .flatMap(({ epochs }) => epochs)
      .filter((epoch) => epoch !== undefined)
      .sort((a, b) => a - b);
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
