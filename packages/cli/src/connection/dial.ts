import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { type ConnectionOptions, TLSSocket } from 'node:tls';
import type { Millis } from '@wirebeat/core';
import { type ClientOptions, WebSocket } from 'ws';
import { DialError, type DialProgress } from './dial-error.ts';
import { STAGE_NAMES, type Stage, type StageTimes } from './stages.ts';

/** What to connect to, and how. */
export interface Target {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly subprotocols: readonly string[];
  /** Time in ms until the connection must be open. */
  readonly timeout: Millis;
  /** Whether to accept any certificate. */
  readonly isInsecure?: boolean;
  /** Options of TLS, such as `ca`: the authorities to trust in place of those of the system. */
  readonly tls?: ConnectionOptions;
  /** Whether to offer permessage-deflate. */
  readonly compresses?: boolean;
}

/** An open connection. */
export interface Dialled {
  readonly socket: WebSocket;
  /** `address:port` of the peer, which may be a proxy. */
  readonly address: string;
  readonly times: StageTimes;
  /** The headers of the answer to the handshake. */
  readonly headers: IncomingHttpHeaders;
  /** What TLS agreed on; `undefined` for `ws:`. */
  readonly security: Security | undefined;
}

/** What TLS agreed on. */
export interface Security {
  /** The version, such as `TLSv1.3`. */
  readonly version: string;
  /** When the certificate expires, in ms since the epoch. */
  readonly expiresAt: number;
}

/**
 * Opens a WebSocket and measures each step. Aborting `signal` ends the attempt.
 *
 * Rejects with {@link DialError}, or with the reason of the signal.
 */
export function dial(target: Target, signal: AbortSignal): Promise<Dialled> {
  const { url, timeout } = target;
  const steps = new Steps(new URL(url));
  return new Promise((resolve, reject) => {
    const socket = open(target, steps);
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stopped);
    };
    const fail = (error: unknown): void => {
      settle();
      socket.on('error', () => {}).terminate();
      reject(error);
    };
    const timer = setTimeout(() => {
      const message = `the step ${STAGE_NAMES[steps.current]} did not finish within ${timeout / 1000} s`;
      const { current: stage, progress } = steps;
      fail(new DialError({ stage, code: 'TIMEOUT', message, progress }));
    }, timeout);
    const stopped = (): void => fail(signal.reason);
    signal.addEventListener('abort', stopped);
    if (signal.aborted) stopped();
    socket.once('error', (error) => fail(failureOf(error, steps)));
    socket.once('unexpected-response', (_, response) => {
      steps.headers = response.headers;
      fail(refusalOf(response, steps));
    });
    socket.once('upgrade', (response) => {
      steps.headers = response.headers;
      steps.finish('upgrade');
    });
    socket.once('open', () => {
      settle();
      resolve({ socket, ...steps.progress, security: steps.security });
    });
  });
}

/** Starts an attempt whose steps `steps` measures. */
function open(target: Target, steps: Steps): WebSocket {
  const { url, headers, subprotocols, isInsecure, tls, compresses } = target;
  const options: ClientOptions = {
    headers,
    perMessageDeflate: compresses === true,
    ...(isInsecure && { rejectUnauthorized: false }),
    ...(tls as ClientOptions | undefined),
    finishRequest(request: ClientRequest) {
      request.once('socket', (socket) => steps.watch(socket));
      request.end();
    },
  };
  return new WebSocket(url, [...subprotocols], options);
}

/** The steps of one attempt. */
class Steps {
  /** The step under way. */
  current: Stage;
  headers: IncomingHttpHeaders = {};
  #address = '';
  security: Security | undefined;
  readonly #isSecure: boolean;
  readonly #times: { [Name in Stage]?: Millis } = {};
  #startedAt: number = performance.now();

  constructor({ protocol, hostname }: URL) {
    this.#isSecure = protocol === 'wss:';
    this.current = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? 'dns' : 'tcp';
  }

  get progress(): DialProgress {
    return { address: this.#address, times: this.#times, headers: this.headers };
  }

  /** Measures the steps of a socket that begins to connect. */
  watch(socket: Socket): void {
    this.#startedAt = performance.now();
    socket.once('lookup', (error) => error === null && this.#pass('dns'));
    socket.once('connect', () => {
      this.#pass('dns');
      this.#pass('tcp');
      const { remoteAddress = '', remotePort } = socket;
      this.#address = remoteAddress.includes(':')
        ? `[${remoteAddress}]:${remotePort}`
        : `${remoteAddress}:${remotePort}`;
    });
    socket.once('secureConnect', () => {
      this.#pass('tls');
      if (socket instanceof TLSSocket) this.security = securityOf(socket);
    });
  }

  finish(stage: Stage): void {
    this.#pass(stage);
  }

  #pass(stage: Stage): void {
    if (stage !== this.current) return;
    const now = performance.now();
    this.#times[stage] = now - this.#startedAt;
    this.#startedAt = now;
    const next = { dns: 'tcp', tcp: this.#isSecure ? 'tls' : 'upgrade', tls: 'upgrade' } as const;
    if (stage !== 'upgrade') this.current = next[stage];
  }
}

function securityOf(socket: TLSSocket): Security {
  const expiresAt = Date.parse(socket.getPeerCertificate().valid_to);
  return { version: socket.getProtocol() ?? 'TLS', expiresAt };
}

type SystemError = Error & { readonly code?: string; readonly errors?: readonly SystemError[] };

function failureOf(error: SystemError, { current: stage, progress }: Steps): DialError {
  // The `AggregateError` of several addresses has no message of its own.
  const { message, code = error.code ?? 'ERROR' } = error.errors?.[0] ?? error;
  return new DialError({ stage, code, message: withoutNumbers(message), progress });
}

/** Shortens a message of OpenSSL, such as `80AB…:error:0A00010B:SSL routines:f:wrong version:…`. */
function withoutNumbers(message: string): string {
  const [, words] = /:error:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(message) ?? [];
  return words ?? message;
}

function refusalOf(response: IncomingMessage, { progress }: Steps): DialError {
  const { statusCode: status = 0, statusMessage = '', headers } = response;
  const to = headers.location === undefined ? '' : `, to ${headers.location}`;
  const message = `the server answered with HTTP status ${status} ${statusMessage}${to}`;
  return new DialError({ stage: 'upgrade', code: `HTTP_${status}`, message, status, progress });
}
