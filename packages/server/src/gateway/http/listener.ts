import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import {
  checkFunction,
  checkNames,
  InvalidOptionError,
  MAX_DELAY,
  type Millis,
  numberWithin,
} from '@wirebeat/core';

/** Where a gateway listens. */
export interface ListenOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** @default all addresses of this machine */
  readonly host?: string;
  /** `key`, `cert` and so on, as of `node:tls`: then it serves `wss:`. */
  readonly tls?: TlsOptions;
  /** What answers ordinary requests, such as those for a status page. @default 426 to all */
  readonly request?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** Limits of a listener. */
export interface ListenLimits {
  /** For TLS, and then for the request. */
  readonly handshakeTimeout: Millis;
  /** How many connections its gateway takes. */
  readonly maxConnections: number;
}

/** How many TCP connections may be there beside those that are taken, to ask and to be refused. */
const MIN_SPARE = 64;

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A port at which a gateway listens. */
export class GatewayListener {
  readonly #server: Server;
  readonly #scheme: 'ws' | 'wss';

  /**
   * Rejects with the system's error if it cannot listen there.
   *
   * @throws {InvalidOptionError} likewise, as a rejection.
   */
  static async open(
    options: ListenOptions,
    { handshakeTimeout, maxConnections }: ListenLimits,
    upgrade: Upgrade,
  ): Promise<GatewayListener> {
    checkNames('options', options, ['port', 'host', 'tls', 'request']);
    const { host, tls, request = upgradeRequired } = options;
    const port = numberWithin('port', options.port, 0, 0, 65_535);
    checkFunction('request', request);
    checkTls(tls);
    const limits = limitsOf(handshakeTimeout);
    const server =
      tls === undefined
        ? createServer(limits)
        : createSecureServer({ handshakeTimeout: tlsTimeout(handshakeTimeout), ...limits, ...tls });
    if (maxConnections !== Number.POSITIVE_INFINITY) {
      server.maxConnections = maxConnections + Math.max(MIN_SPARE, Math.ceil(maxConnections / 4));
    }
    server.on('request', request);
    server.on('upgrade', upgrade);
    server.listen(port, host);
    await once(server, 'listening');
    return new GatewayListener(server, tls === undefined ? 'ws' : 'wss');
  }

  private constructor(server: Server, scheme: 'ws' | 'wss') {
    this.#server = server;
    this.#scheme = scheme;
  }

  get port(): number {
    return this.#address.port;
  }

  get host(): string {
    return this.#address.address;
  }

  /** `ws://host:port`, or `wss:`. */
  get url(): string {
    const { address, family, port } = this.#address;
    return `${this.#scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Listens no more. WebSockets stay open. */
  close(): void {
    this.#server.close(); // that it has closed is told only when the last WebSocket has
    this.#server.closeAllConnections(); // those of requests: a WebSocket is none any more
  }

  get #address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }
}

/** Node looks at its connections now and then: as often as the limit asks. */
function limitsOf(handshakeTimeout: Millis): ServerOptions {
  if (handshakeTimeout === Number.POSITIVE_INFINITY)
    return { requestTimeout: 0, headersTimeout: 0 };
  return {
    requestTimeout: handshakeTimeout,
    headersTimeout: handshakeTimeout,
    connectionsCheckingInterval: Math.max(100, handshakeTimeout / 4),
  };
}

/** `node:tls` reads 0 as its own default. */
function tlsTimeout(handshakeTimeout: Millis): Millis {
  return Math.min(handshakeTimeout, MAX_DELAY);
}

/** Half a pair is a slip, and Node would listen and fail every handshake. @throws {InvalidOptionError} */
function checkTls(tls: TlsOptions | undefined): void {
  if (tls === undefined) return;
  checkNames('tls', tls, Object.keys(tls ?? {}));
  if ((tls.key === undefined) === (tls.cert === undefined)) return;
  const [has, lacks] = tls.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
  throw new InvalidOptionError(lacks, `given with \`${has}\``, undefined);
}

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('Upgrade Required\n');
}
