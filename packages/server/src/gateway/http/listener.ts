import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { InvalidOptionError, MAX_DELAY, type Millis, resolveOptions } from '@wirebeat/core';

/** Options of `listen`. */
export interface ListenOptions {
  /** Port to listen on. 0: any free port. */
  readonly port: number;
  /** Address to listen on. @default all addresses of this machine */
  readonly host?: string;
  /** Options of `node:tls` such as `key` and `cert`. If present, the listener serves `wss:`. */
  readonly tls?: TlsOptions;
  /**
   * A server that listens already, such as one received from another process, in place of `port` and
   * `host`.
   */
  readonly from?: NetServer;
  /** Handles ordinary requests, such as requests for a status page. @default 426 to all */
  readonly request?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** The options of `listen`. */
const LISTEN_SCHEMA = {
  port: { type: 'count', max: 65_535, required: true },
  host: { type: 'string' },
  tls: { type: 'object' },
  from: { type: 'object', method: 'getConnections' },
  request: { type: 'function' },
} as const;

/** Limits of a listener. */
export interface ListenLimits {
  /** Time in ms for the TLS handshake, and again for the request. */
  readonly handshakeTimeout: Millis;
  /** Largest number of connections of the gateway. */
  readonly maxConnections: number;
}

/**
 * Smallest number of TCP connections allowed in addition to `maxConnections`, so that their requests
 * can be read and refused.
 */
const MIN_SPARE = 64;

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A port on which a gateway listens. */
export class GatewayListener {
  readonly #server: Server;
  /** The server that accepts the TCP connections. */
  readonly #source: NetServer;
  #handshakeTimeout: Millis;

  /**
   * Opens a listener. Rejects with the system's error if it cannot listen, and with {@link
   * InvalidOptionError} if an option is invalid.
   */
  static async open(
    options: ListenOptions,
    { handshakeTimeout, maxConnections }: ListenLimits,
    upgrade: Upgrade,
  ): Promise<GatewayListener> {
    const resolved = resolveOptions(LISTEN_SCHEMA, options);
    const { port, host, tls, from, request = upgradeRequired } = resolved;
    checkTls(tls);
    const limits = limitsOf(handshakeTimeout);
    const tlsTimeout = Math.min(handshakeTimeout, MAX_DELAY); // `node:tls` treats 0 as its own default
    const server = tls
      ? createSecureServer({ handshakeTimeout: tlsTimeout, ...limits, ...tls })
      : createServer(limits);
    limit(from ?? server, maxConnections);
    server.on('request', request);
    server.on('upgrade', upgrade);
    if (from === undefined) {
      server.listen(port, host);
      await once(server, 'listening');
    } else {
      from.on('connection', (socket) => {
        server.emit('connection', socket);
        if (tls === undefined) socket.resume(); // `from` may have `pauseOnConnect`
      });
      server.emit('listening'); // starts the checks of the timeouts
    }
    return new GatewayListener(server, from ?? server, handshakeTimeout);
  }

  private constructor(server: Server, source: NetServer, handshakeTimeout: Millis) {
    this.#server = server;
    this.#source = source;
    this.#handshakeTimeout = handshakeTimeout;
  }

  get port(): number {
    return this.#address.port;
  }

  get host(): string {
    return this.#address.address;
  }

  /** URL of the listener: `ws://host:port`, or `wss:`. */
  get url(): string {
    const { address, family, port } = this.#address;
    const scheme = this.#server instanceof SecureServer ? 'wss' : 'ws';
    return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Sets the limits. Those of requests under way do not change. */
  update({ handshakeTimeout, maxConnections }: ListenLimits): void {
    this.#handshakeTimeout = handshakeTimeout;
    Object.assign(this.#server, limitsOf(handshakeTimeout));
    limit(this.#source, maxConnections);
  }

  /**
   * Uses another certificate for new connections.
   *
   * @throws {Error} of `node:tls` if key and certificate do not match.
   */
  setCertificate(tls: Pick<TlsOptions, 'key' | 'cert'>): void {
    if (this.#server instanceof SecureServer) this.#server.setSecureContext(tls);
  }

  /** The server that accepts the TCP connections. You can send it to another process. */
  get server(): NetServer {
    return this.#source;
  }

  /**
   * Stops listening, and lets every request and WebSocket that has arrived go on. Resolves when the last
   * of them has ended by itself. Drops connections that complete no request within the
   * `handshakeTimeout`.
   */
  async retire(): Promise<void> {
    const closed = once(this.#source, 'close');
    this.#source.close();
    this.#server.closeIdleConnections();
    // Twice, for TLS and for the request. Node stops its own checks when a server closes.
    const limit = Math.min(2 * this.#handshakeTimeout, MAX_DELAY);
    const timer = setTimeout(() => this.#server.closeAllConnections(), limit);
    await closed;
    clearTimeout(timer);
  }

  /** Stops listening and drops ordinary requests and handshakes that are incomplete. WebSockets stay open. */
  close(): void {
    this.#source.close(); // its callback would wait for the last WebSocket
    this.#server.closeAllConnections(); // closes ordinary requests only, not WebSockets
  }

  get #address(): AddressInfo {
    return this.#source.address() as AddressInfo;
  }
}

function limit(server: NetServer, maxConnections: number): void {
  server.maxConnections = maxConnections + Math.max(MIN_SPARE, Math.ceil(maxConnections / 4));
}

/** Node checks its connections for timeouts as often as the limit requires. By default, it does each 30 s. */
function limitsOf(handshakeTimeout: Millis): ServerOptions {
  const timeout = handshakeTimeout === Number.POSITIVE_INFINITY ? 0 : handshakeTimeout; // 0: none
  const connectionsCheckingInterval = Math.min(30_000, Math.max(100, handshakeTimeout / 4));
  return { requestTimeout: timeout, headersTimeout: timeout, connectionsCheckingInterval };
}

/**
 * `key` and `cert` must come together: with only one, Node would listen and fail every handshake.
 *
 * @throws {InvalidOptionError} if one of them is missing.
 */
function checkTls(tls: TlsOptions | undefined): void {
  if (tls === undefined) return;
  if ((tls.key === undefined) === (tls.cert === undefined)) return;
  const [has, lacks] = tls.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
  throw new InvalidOptionError(lacks, `given with \`${has}\``, undefined);
}

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('Upgrade Required\n');
}
