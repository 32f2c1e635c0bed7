import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { Millis } from '@wirebeat/core';
import { type ClientOptions, WebSocket } from 'ws';
import { DialError } from './dial-error.ts';
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
  /** The certificates of the authorities to trust, as PEM, in place of those of the system. */
  readonly ca?: string;
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
}

/**
 * Opens a WebSocket and measures each step. Aborting `signal` ends the attempt.
 *
 * Rejects with {@link DialError}, or with the reason of the signal.
 */
export function dial(target: Target, signal: AbortSignal): Promise<Dialled> {
  const { url, headers, subprotocols, timeout, isInsecure, ca, compresses } = target;
  const steps = new Steps(new URL(url));
  const options: ClientOptions = {
    headers,
    perMessageDeflate: compresses === true,
    ...(isInsecure && { rejectUnauthorized: false }),
    ...(ca !== undefined && { ca }),
    finishRequest(request: ClientRequest) {
      request.once('socket', (socket) => steps.watch(socket));
      request.end();
    },
  };
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, [...subprotocols], options);
    let answered: IncomingHttpHeaders = {};
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
      fail(new DialError({ stage: steps.current, code: 'TIMEOUT', message }));
    }, timeout);
    const stopped = (): void => fail(signal.reason);
    signal.addEventListener('abort', stopped);
    if (signal.aborted) stopped();
    socket.once('error', (error) => fail(failureOf(error, steps.current)));
    socket.once('unexpected-response', (_, response) => fail(refusalOf(response)));
    socket.once('upgrade', (response) => {
      answered = response.headers;
      steps.finish('upgrade');
    });
    socket.once('open', () => {
      settle();
      const { address, times } = steps;
      resolve({ socket, address, times, headers: answered });
    });
  });
}

/** The steps of one attempt. */
class Steps {
  /** The step under way. */
  current: Stage;
  address = '';
  readonly #isSecure: boolean;
  readonly #times: { [Name in Stage]?: Millis } = {};
  #startedAt: number = performance.now();

  constructor({ protocol, hostname }: URL) {
    this.#isSecure = protocol === 'wss:';
    this.current = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? 'dns' : 'tcp';
  }

  get times(): StageTimes {
    return this.#times;
  }

  /** Measures the steps of a socket that begins to connect. */
  watch(socket: Socket): void {
    this.#startedAt = performance.now();
    socket.once('lookup', (error) => error === null && this.#pass('dns'));
    socket.once('connect', () => {
      this.#pass('dns');
      this.#pass('tcp');
      const { remoteAddress = '', remotePort } = socket;
      this.address = remoteAddress.includes(':')
        ? `[${remoteAddress}]:${remotePort}`
        : `${remoteAddress}:${remotePort}`;
    });
    socket.once('secureConnect', () => this.#pass('tls'));
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

type SystemError = Error & { readonly code?: string; readonly errors?: readonly SystemError[] };

function failureOf(error: SystemError, stage: Stage): DialError {
  // The `AggregateError` of several addresses has no message of its own.
  const { message, code = error.code ?? 'ERROR' } = error.errors?.[0] ?? error;
  return new DialError({ stage, code, message: withoutNumbers(message) });
}

/** Shortens a message of OpenSSL, such as `80AB…:error:0A00010B:SSL routines:f:wrong version:…`. */
function withoutNumbers(message: string): string {
  const [, words] = /:error:[^:]*:[^:]*:[^:]*:([^:]*):/.exec(message) ?? [];
  return words ?? message;
}

function refusalOf(response: IncomingMessage): DialError {
  const { statusCode: status = 0, statusMessage = '', headers } = response;
  const to = headers.location === undefined ? '' : `, to ${headers.location}`;
  const message = `the server answered with HTTP status ${status} ${statusMessage}${to}`;
  return new DialError({ stage: 'upgrade', code: `HTTP_${status}`, message, status });
}
