import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Gateway } from '@wirebeat/server/gateway';
import type { Place } from '../argument-parsers.ts';
import { GatewayMetrics } from './metrics.ts';
import type { ReadinessProbe } from './readiness-probe.ts';

/** Largest number of connections to the status port. Few monitoring tools connect to it. */
const MAX_CONNECTIONS = 64;
/** Time in ms that a status request may take after its port has closed. */
const LIMIT = 5_000;

/** Serves the status pages on a separate port, which browsers need not reach. */
export class StatusServer {
  /** The server that accepts the TCP connections. */
  readonly source: NetServer;
  readonly #http: Server;

  /** Listens, or goes on with a server that listens already. Rejects with the system's error. */
  static async listen(
    pages: StatusPages,
    { port, host }: Place,
    from?: NetServer,
  ): Promise<StatusServer> {
    const http = createServer((request, response) => void pages.answer(request, response));
    const source = from ?? http;
    source.maxConnections = MAX_CONNECTIONS;
    if (from === undefined) {
      http.listen(port, host);
      await once(http, 'listening');
    } else {
      from.on('connection', (socket) => {
        http.emit('connection', socket);
        socket.resume(); // `from` pauses new connections
      });
      http.emit('listening'); // starts to track its connections
    }
    return new StatusServer(http, source);
  }

  constructor(http: Server, source: NetServer) {
    this.#http = http;
    this.source = source;
  }

  get url(): string {
    const { address, family, port } = this.source.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Stops listening. Requests under way are answered. */
  close(): void {
    this.source.close();
    this.#http.closeIdleConnections();
    setTimeout(() => this.#http.closeAllConnections(), LIMIT).unref();
  }
}

/** The status pages: `/healthz`, `/readyz` and `/metrics`. */
export class StatusPages {
  readonly #gateway: Gateway;
  readonly #probe: () => ReadinessProbe | undefined;
  readonly #metrics: GatewayMetrics;

  constructor(gateway: Gateway, probe: () => ReadinessProbe | undefined) {
    this.#gateway = gateway;
    this.#probe = probe;
    this.#metrics = new GatewayMetrics(gateway, probe);
  }

  /** Answers a request. `otherwise` answers requests for other pages. */
  async answer(
    { url = '/', method }: IncomingMessage,
    response: ServerResponse,
    otherwise: (response: ServerResponse) => void = notFound,
  ): Promise<void> {
    const path = url.split('?')[0];
    if (method !== 'GET' && method !== 'HEAD') response.writeHead(405).end();
    else if (path === '/healthz') this.#answerHealth(response);
    else if (path === '/readyz') this.#answerReadiness(response);
    else if (path === '/metrics') {
      const text = await this.#metrics.text();
      response.writeHead(200, { 'content-type': this.#metrics.contentType }).end(text);
    } else otherwise(response);
  }

  /** 200 while the gateway accepts connections. */
  #answerHealth(response: ServerResponse): void {
    const { state, uptime, open } = this.#gateway.status();
    answerJson(response, state === 'running', { state, uptimeMs: Math.round(uptime), open });
  }

  /** 200 while the gateway accepts connections and the last probe of the upstream was answered. */
  #answerReadiness(response: ServerResponse): void {
    const { state } = this.#gateway.status();
    const probe = this.#probe();
    const { isReady = true, latency, error, at } = probe?.state ?? {};
    answerJson(response, state === 'running' && isReady, {
      state,
      upstream: probe === undefined ? 'not probed' : isReady ? 'ready' : 'not ready',
      latencyMs: latency,
      error,
      probedAt: at === undefined ? undefined : new Date(at).toISOString(),
    });
  }
}

function answerJson(response: ServerResponse, isGood: boolean, values: object): void {
  response.writeHead(isGood ? 200 : 503, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(values)}\n`);
}

function notFound(response: ServerResponse): void {
  response.writeHead(404).end('There are /healthz, /readyz and /metrics.\n');
}
