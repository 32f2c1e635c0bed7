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
import { checkFunction, checkNames, type Millis, numberWithin } from '@wirebeat/core';

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
    handshakeTimeout: Millis,
    upgrade: Upgrade,
  ): Promise<GatewayListener> {
    checkNames('options', options, ['port', 'host', 'tls', 'request']);
    const { host, tls, request = upgradeRequired } = options;
    const port = numberWithin('port', options.port, 0, 0, 65_535);
    checkFunction('request', request);
    const limits = limitsOf(handshakeTimeout);
    const server =
      tls === undefined ? createServer(limits) : createSecureServer({ ...limits, ...tls });
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

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('Upgrade Required\n');
}
