import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Scheduler, Timer } from '@wirebeat/core';
import type { RefuseReason } from '../events.ts';
import type { ResolvedGatewayOptions } from '../options.ts';
import type { Address } from './address.ts';
import { faultOf, type Refusal } from './check-request.ts';
import { type Accepted, type Answer, dial } from './dial.ts';
import { upstreamHeaders } from './headers.ts';
import { accept, handOn, refuse } from './reply.ts';
import { UpstreamError } from './upstream-error.ts';

/** The arguments of Node's `upgrade` event. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The events that mean the page has disconnected. */
const ENDS = ['end', 'error', 'close'] as const;
/**
 * Largest number of bytes kept from a page that sends before the response. RFC 6455 §4.1 requires a
 * client to wait.
 */
const MAX_EARLY_BYTES = 16_384;

/**
 * Receives the result of a {@link Handshake}: either `accepted` or `refused` is called, exactly once.
 */
export interface HandshakePort {
  readonly scheduler: Scheduler;
  /** Returns why the gateway accepts no connection now, or `undefined` if it does. */
  refusal(): (Refusal & { readonly reason: RefuseReason }) | undefined;
  /** `early` contains the bytes that followed the request. */
  accepted(answer: Accepted, address: Address, early: Buffer): void;
  refused(status: number, reason: RefuseReason, error: Error | undefined): void;
}

/**
 * Status of a page that disconnected before the response. RFC 9110 defines none, and it is never sent.
 */
const GONE = 499;
/** How long the last bytes of a refusal may take to be sent, in ms. */
const LEAVE_WAIT = 5_000;

/** One handshake, from the request of a page until it is accepted or refused. */
export class Handshake {
  readonly #upgrade: UpgradeRequest;
  readonly #options: ResolvedGatewayOptions;
  readonly #port: HandshakePort;
  readonly #abort: AbortController = new AbortController();
  #timer: Timer | undefined;
  #address: Address | undefined;
  #isOver = false;
  #early: Buffer;

  constructor(upgrade: UpgradeRequest, options: ResolvedGatewayOptions, port: HandshakePort) {
    this.#upgrade = upgrade;
    this.#early = upgrade.head;
    this.#options = options;
    this.#port = port;
  }

  /** Runs the handshake. Never rejects. */
  async run(): Promise<void> {
    const { request, socket } = this.#upgrade;
    const { connectTimeout } = this.#options;
    socket.on('data', this.#keep);
    for (const event of ENDS) socket.on(event, this.#gone);
    this.#limit(connectTimeout, () => this.#expired());
    try {
      const fault = faultOf(request);
      if (fault !== undefined) return this.#refuse('bad-request', fault);
      const full = this.#port.refusal();
      if (full !== undefined) return this.#refuse(full.reason, full);
      const refusal = await this.#options.refusalOf(request);
      if (refusal !== undefined) return this.#refuse('not-allowed', refusal);
      if (this.#isOver) return;
      await this.#dial();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Refuses the handshake because the gateway is closing. */
  cancel(): void {
    this.#refuse('draining', { status: 503, body: 'The gateway is closing.' });
  }

  async #dial(): Promise<void> {
    const { request } = this.#upgrade;
    const { headers, tls } = this.#options;
    const address = await this.#options.upstreamOf(request);
    if (address === undefined) {
      return this.#refuse('no-upstream', { status: 404, body: 'No upstream for this request.' });
    }
    if (this.#isOver) return;
    this.#address = address;
    const answer = await dial({
      address,
      headers: upstreamHeaders(request, headers, address.authorization),
      protocols: request.headers['sec-websocket-protocol'],
      tls,
      signal: this.#abort.signal,
    });
    if (this.#isOver) return drop(answer);
    if (answer.socket === undefined) return this.#handOn(answer.response, address);
    const { socket } = this.#upgrade;
    accept(socket, request, answer.response);
    this.#finish();
    socket.resume(); // the socket is paused if the page sent too much early
    this.#port.accepted(answer, address, this.#early);
  }

  // Refusing the handshake.

  #handOn(response: IncomingMessage, { url }: Address): void {
    const { socket } = this.#upgrade;
    const status = response.statusCode ?? 502;
    this.#finish();
    this.#leave();
    handOn(socket, response, () => this.#abort.abort()); // the connection to the upstream is no longer needed
    const error = new UpstreamError({ kind: 'refused', url, status });
    this.#port.refused(status, 'upstream-refused', error);
  }

  #expired(): void {
    const { url = 'that was to be chosen' } = this.#address ?? {};
    const error = new UpstreamError({ kind: 'timeout', url });
    this.#refuse('upstream-timeout', { status: 504, body: 'The upstream did not answer.' }, error);
  }

  #failed(error: unknown): void {
    if (error instanceof UpstreamError) {
      const reason = error.kind === 'invalid' ? 'upstream-invalid' : 'upstream-unreachable';
      return this.#refuse(reason, { status: 502, body: 'Upstream unavailable.' }, error);
    }
    const isError = typeof (error as Partial<Error> | undefined)?.message === 'string'; // an Error of any realm
    const cause = isError ? (error as Error) : new Error(String(error));
    this.#refuse('error', { status: 500, body: '' }, cause);
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early = Buffer.concat([this.#early, chunk]);
    if (this.#early.length > MAX_EARLY_BYTES) this.#upgrade.socket.pause();
  };

  readonly #gone = (): void => {
    if (this.#isOver) return;
    this.#finish(false);
    this.#upgrade.socket.on('error', () => {}).destroy();
    this.#port.refused(GONE, 'gone', undefined);
  };

  #refuse(reason: RefuseReason, refusal: Refusal, error?: Error): void {
    if (this.#isOver) return;
    this.#finish(false);
    refuse(this.#upgrade.socket, refusal);
    this.#leave();
    this.#port.refused(refusal.status, reason, error);
  }

  /** Ends the handshake: cancels its timer and, if the upstream is not needed, its dialling. */
  #finish(wantsUpstream = true): void {
    this.#isOver = true;
    this.#timer?.cancel();
    const { socket } = this.#upgrade;
    socket.off('data', this.#keep);
    for (const event of ENDS) socket.off(event, this.#gone);
    if (!wantsUpstream) this.#abort.abort();
  }

  /** Drops a page that does not read the response, or does not close after it. */
  #leave(): void {
    const { socket } = this.#upgrade;
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#timer?.cancel());
    socket.resume(); // discards what the page has sent
    this.#limit(LEAVE_WAIT, () => socket.destroy());
  }

  #limit(within: number, act: () => void): void {
    if (within === Number.POSITIVE_INFINITY) return;
    const { scheduler } = this.#port;
    this.#timer = scheduler.at(scheduler.now() + within, act);
  }
}

/** Discards a response that arrived after the handshake was over. */
function drop(answer: Answer): void {
  (answer.socket ?? answer.response).on('error', () => {}).destroy();
}
