import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { createGateway, type Gateway, type GatewayListener } from '@wirebeat/server/gateway';
import type { Place } from '../arguments.ts';
import type { Target } from '../connection/dial.ts';
import type { GatewaySettings } from './config.ts';
import { type Log, logEvents } from './log.ts';
import { GatewayMetrics } from './metrics.ts';
import { ReadinessProbe } from './readiness.ts';

/** Largest number of connections to the status port. Few monitoring tools connect to it. */
const MAX_STATUS_CONNECTIONS = 64;
/** Time in ms that a status request may take after its port has closed. */
const STATUS_LIMIT = 5_000;

/** Servers that listen, which one process hands to another. */
export interface Handed {
  readonly main?: NetServer | undefined;
  readonly status?: NetServer | undefined;
}

/** The server of the status pages, and the one that accepts its TCP connections. */
interface StatusServer {
  readonly http: Server;
  readonly source: NetServer;
}

/** A gateway with its status pages and its log, as `wirebeat gateway` runs it. */
export class GatewayService {
  readonly #log: Log;
  readonly #gateway: Gateway;
  #settings: GatewaySettings;
  #probe: ReadinessProbe | undefined;
  #metrics: GatewayMetrics;
  #listener: GatewayListener | undefined;
  #status: StatusServer | undefined;

  /** @throws {InvalidOptionError} if an option is invalid. */
  constructor(settings: GatewaySettings, log: Log) {
    this.#log = log;
    this.#settings = settings;
    this.#gateway = createGateway(settings.options);
    this.#probe = probeOf(settings);
    this.#metrics = new GatewayMetrics(this.#gateway, () => this.#probe);
    logEvents(this.#gateway, log);
  }

  /**
   * Starts to listen, or goes on with servers that listen already. Rejects with the system's error if
   * it cannot listen.
   */
  async start(handed: Handed = {}): Promise<void> {
    const { place, status } = this.#settings;
    this.#listener = await this.#listen(place, handed.main);
    const { url } = this.#listener;
    if (typeof status === 'object') {
      this.#status = await this.#listenForStatus(status, handed.status);
    }
    const own = this.#status && urlOf(this.#status.source);
    this.#log({ event: 'listening', url, ...(own !== undefined && { status: own }) });
  }

  /**
   * Uses other settings. Open connections are not touched. Rejects with the system's error if it cannot
   * listen at a new place; then nothing changes.
   */
  async reload(settings: GatewaySettings): Promise<void> {
    const before = this.#settings;
    const hasMoved = !isSame(settings.place, before.place) || !settings.tls !== !before.tls;
    const statusHasMoved = !isSame(settings.status, before.status);
    this.#settings = settings;
    let listener: GatewayListener | undefined;
    try {
      if (hasMoved) listener = await this.#listen(settings.place);
      if (statusHasMoved && typeof settings.status === 'object') {
        const status = await this.#listenForStatus(settings.status);
        this.#closeStatus();
        this.#status = status;
      }
    } catch (error) {
      listener?.close();
      this.#settings = before;
      throw error;
    }
    if (statusHasMoved && typeof settings.status !== 'object') {
      this.#closeStatus();
    }
    this.#gateway.update(settings.options);
    if (listener !== undefined) {
      void this.#listener?.retire();
      this.#listener = listener;
    } else if (settings.tls !== undefined) this.#listener?.setCertificate(settings.tls);
    this.#probe?.stop();
    this.#probe = probeOf(settings);
    const url = this.#listener?.url;
    this.#log({ event: 'reloaded', url, open: this.#gateway.connections.size });
  }

  /** The servers that listen, for the process of a new version. */
  get servers(): Handed {
    return { main: this.#listener?.server, status: this.#status?.source };
  }

  /**
   * Stops listening and probing. Resolves when the last connection has ended by itself. A connection that
   * has arrived but not sent its request yet counts too: the new process cannot serve it.
   */
  async retire(): Promise<void> {
    this.#closeStatus();
    this.#probe?.stop();
    await this.#listener?.retire();
    while (this.#gateway.connections.size > 0) {
      await new Promise((resolve) => this.#gateway.once('end', resolve));
    }
  }

  get open(): number {
    return this.#gateway.connections.size;
  }

  /** Closes all connections over a while. Resolves when they are closed. */
  async drain(): Promise<void> {
    this.#log({ event: 'draining', open: this.#gateway.connections.size });
    await this.#gateway.drain({ within: this.#settings.within });
    await this.#gateway.close();
    this.#probe?.stop();
    this.#closeStatus();
    this.#log({ event: 'closed' });
  }

  /** Stops listening for status requests. Those under way are answered. */
  #closeStatus(): void {
    const { source, http } = this.#status ?? {};
    source?.close();
    http?.closeIdleConnections();
    setTimeout(() => http?.closeAllConnections(), STATUS_LIMIT).unref();
    this.#status = undefined;
  }

  #listen(place: Place, from?: NetServer): Promise<GatewayListener> {
    const { tls } = this.#settings;
    return this.#gateway.listen({
      ...place,
      request: (asked, response) => this.#answerPublic(asked, response),
      ...(tls && { tls }),
      ...(from && { from }),
    });
  }

  /** Listens on a separate port for status requests, which pages need not reach. */
  async #listenForStatus({ port, host }: Place, from?: NetServer): Promise<StatusServer> {
    const server = createServer((asked, response) => void this.#answer(asked, response));
    const source = from ?? server;
    source.maxConnections = MAX_STATUS_CONNECTIONS;
    if (from === undefined) {
      server.listen(port, host);
      await once(server, 'listening');
    } else {
      from.on('connection', (socket) => {
        server.emit('connection', socket);
        socket.resume(); // `from` pauses new connections
      });
      server.emit('listening'); // starts to track its connections
    }
    return { http: server, source };
  }

  #answerPublic(asked: IncomingMessage, response: ServerResponse): void {
    if (this.#settings.status === 'public') void this.#answer(asked, response);
    else upgradeRequired(response);
  }

  /** Answers status requests: `/healthz`, `/readyz` and `/metrics`. */
  async #answer({ url = '/', method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = url.split('?')[0];
    if (method !== 'GET' && method !== 'HEAD') response.writeHead(405).end();
    else if (path === '/healthz') this.#answerHealth(response);
    else if (path === '/readyz') this.#answerReadiness(response);
    else if (path === '/metrics') {
      const text = await this.#metrics.text();
      response.writeHead(200, { 'content-type': this.#metrics.contentType }).end(text);
    } else if (this.#settings.status === 'public') upgradeRequired(response);
    else response.writeHead(404).end('There are /healthz, /readyz and /metrics.\n');
  }

  /** 200 while the gateway accepts connections. */
  #answerHealth(response: ServerResponse): void {
    const { state, uptime, open } = this.#gateway.status();
    answerJson(response, state === 'running', { state, uptimeMs: Math.round(uptime), open });
  }

  /** 200 while the gateway accepts connections and the last probe of the upstream was answered. */
  #answerReadiness(response: ServerResponse): void {
    const { state } = this.#gateway.status();
    const { isReady = true, latency, error, at } = this.#probe?.state ?? {};
    answerJson(response, state === 'running' && isReady, {
      state,
      upstream: this.#probe === undefined ? 'not probed' : isReady ? 'ready' : 'not ready',
      latencyMs: latency,
      error,
      probedAt: at === undefined ? undefined : new Date(at).toISOString(),
    });
  }
}

function probeOf({ readiness, status, options }: GatewaySettings): ReadinessProbe | undefined {
  if (readiness === false || status === false) return undefined;
  const { upstream, headers, tls } = options;
  const { ca, rejectUnauthorized } = tls ?? {};
  const target: Target = {
    url: upstream.replace(/^http/, 'ws'),
    headers: typeof headers === 'object' ? headers : {},
    subprotocols: [],
    timeout: readiness.timeout,
    isInsecure: rejectUnauthorized === false,
    ...(typeof ca === 'string' && { ca }),
  };
  return new ReadinessProbe(target, readiness.interval);
}

function answerJson(response: ServerResponse, isGood: boolean, values: object): void {
  response.writeHead(isGood ? 200 : 503, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(values)}\n`);
}

function upgradeRequired(response: ServerResponse): void {
  response.writeHead(426, { upgrade: 'websocket' }).end('This port only accepts WebSockets.\n');
}

function isSame(first: unknown, second: unknown): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}

function urlOf(server: NetServer): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
