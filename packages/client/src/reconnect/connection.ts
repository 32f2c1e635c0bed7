import {
  CloseCode,
  type HeartbeatEvent,
  type HeartbeatStatus,
  type Instant,
  type Millis,
  type PingOptions,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type WebSocketLike,
} from '@wirebeat/core';
import type { Reader } from '../link.ts';
import { Link, type LinkOptions } from '../link.ts';
import type { CloseRecord } from './close-record.ts';
import type { ConnectionEnd, ConnectionId } from './machine/orders.ts';
import { type HandshakeRefusal, watchNodeSocket } from './node-socket.ts';
import { terminate } from './terminate.ts';

/** Everything that happens on a connection, except messages. */
export type ConnectionEvent =
  | HeartbeatEvent
  | [name: 'open', detail?: undefined]
  | [name: 'error', error: unknown]
  | [name: 'end', end: ConnectionEnd];

/** What a {@link Connection} needs from its owner. */
export interface ConnectionPort {
  emit(connection: Connection, ...event: ConnectionEvent): void;
  /** Receives a message. Apart from the events, because it is called most often. */
  receive(connection: Connection, data: unknown): void;
}

/** Returns a function that dials, or a promise of it. The signal is aborted if it is not needed. */
export type Prepare = (signal: AbortSignal) => (() => WebSocketLike) | Promise<() => WebSocketLike>;

/** What happened since the last pong. */
interface Since {
  missedPings: number;
  lateBy?: Millis;
}

/**
 * One connection of a {@link ReconnectingWebSocket}, from the request for the address to the end:
 * its socket, its heartbeat, and what was received on a standby. Decides nothing.
 */
export class Connection {
  readonly id: ConnectionId;
  /** Undefined until the address is known. */
  socket: WebSocketLike | undefined;
  link: Link | undefined;
  /** What was received while this was the standby. */
  held: unknown[] = [];
  readonly #port: ConnectionPort;
  readonly #asking: AbortController = new AbortController();
  readonly #release: (() => void)[] = [];
  /** The events of the heartbeat before `open`. They are emitted after it. */
  #early: HeartbeatEvent[] | undefined = [];
  #since: Since = { missedPings: 0 };
  #refusal: HandshakeRefusal = {};
  #hasClosed = false; // whether this side has started the closing handshake
  #isOpen = false;
  #openedAt: Instant = Number.POSITIVE_INFINITY;
  #isEnded = false;

  constructor(id: ConnectionId, port: ConnectionPort) {
    this.id = id;
    this.#port = port;
  }

  /** Aborted at the end of the connection. */
  get signal(): AbortSignal {
    return this.#asking.signal;
  }

  get readyState(): number {
    return this.socket?.readyState ?? ReadyState.Connecting;
  }

  get status(): HeartbeatStatus {
    return this.link?.driver.heartbeat.status ?? 'idle';
  }

  get lastReceived(): Instant {
    return this.link?.driver.heartbeat.lastReceived ?? 0;
  }

  get answersBy(): Reader {
    return this.link?.answersBy ?? 'server';
  }

  /** The bytes that the socket has not sent yet; undefined if its class does not report them. */
  get bufferedAmount(): number | undefined {
    return (this.socket as { bufferedAmount?: number } | undefined)?.bufferedAmount;
  }

  /**
   * Dials, at once or when the address is known.
   *
   * @throws what the class of the socket throws, if the address is known at once.
   */
  dial(prepare: Prepare, options: LinkOptions): void {
    const prepared = prepare(this.signal);
    if (typeof prepared === 'function') return this.#dial(prepared, options);
    prepared
      .then((dial) => {
        if (!this.signal.aborted) this.#dial(dial, options);
      })
      .catch((error) => {
        if (!this.#isEnded) this.#port.emit(this, 'error', error);
      });
  }

  send(data: SocketData): void {
    this.link?.sending(data);
    this.socket?.send(data as never);
    this.link?.sent();
  }

  async ping(options?: PingOptions): Promise<Millis> {
    return (this.link as Link).ping(options); // called when the connection is open
  }

  /** Starts the closing handshake. */
  close(code?: number, text?: string): void {
    this.#asking.abort();
    this.#hasClosed = true;
    if (!this.#isOpen) return; // there is nobody to shake hands with
    if (code === undefined) this.socket?.close();
    else this.socket?.close(code, text);
  }

  /** Stops watching the socket, which completes its closing handshake, if it was open. */
  detach(): void {
    this.#end({ type: 'close' });
    if (this.#isOpen)
      this.socket?.addEventListener('error', () => {}); // `ws` throws them otherwise
    else if (this.socket !== undefined) terminate(this.socket, '');
  }

  /** Stops watching the socket and drops its connection at once. */
  terminate(text: string): void {
    this.#end({ type: 'close' });
    if (this.socket !== undefined) terminate(this.socket, text);
  }

  #dial(dial: () => WebSocketLike, options: LinkOptions): void {
    const socket = dial();
    if (this.#isEnded) return terminate(socket, ''); // the `WebSocket` option closed or reconnected
    this.socket = socket;
    this.link = new Link(socket, options, (...event) => this.#beat(...event));
    const { link } = this;
    this.#listen(socket, 'open', () => this.#open(link));
    this.#listen(socket, 'message', ({ data, timeStamp }) => {
      const left = link.receive(data, timeStamp);
      if (left !== undefined) this.#port.receive(this, left);
    });
    this.#listen(socket, 'error', ({ error }) => this.#port.emit(this, 'error', error));
    this.#listen(socket, 'close', (event) => this.#end(event));
    const unwatch = watchNodeSocket(socket, {
      ping: () => link.driver.receive(),
      refused: (refusal, error) => {
        this.#refusal = refusal;
        this.#port.emit(this, 'error', error);
      },
    });
    this.#release.push(unwatch);
  }

  #listen(
    socket: WebSocketLike,
    type: string,
    call: (event: SocketEvent & { readonly error?: unknown }) => void,
  ): void {
    const listener = (event: SocketEvent) => {
      if (!this.#isEnded) call(event);
    };
    socket.addEventListener(type, listener);
    this.#release.push(() => socket.removeEventListener(type, listener));
  }

  /** Pings first, so that the first ping comes before what listeners of `open` send. */
  #open(link: Link): void {
    if (this.#hasClosed) return;
    this.#isOpen = true;
    link.open((this.socket as { protocol?: string }).protocol);
    this.#openedAt = this.lastReceived;
    this.#port.emit(this, 'open');
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const event of early) if (!this.#isEnded) this.#port.emit(this, ...event);
  }

  #beat(...event: HeartbeatEvent): void {
    const [name, detail] = event;
    if (name === 'ping') this.#since.missedPings += 1;
    if (name === 'stall') Object.assign(this.#since, detail);
    if (name === 'pong') this.#since = { missedPings: 0 };
    if (this.#early !== undefined) this.#early.push(event);
    else this.#port.emit(this, ...event);
  }

  #end(event: SocketEvent): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#asking.abort();
    for (const release of this.#release.splice(0)) release();
    const { code = CloseCode.Abnormal, wasClean = false } = event;
    const text = `${event.reason ?? ''}`;
    const evidence = this.#evidence(text);
    const byPeer = code !== CloseCode.Abnormal && !this.#hasClosed;
    const { link } = this;
    link?.release();
    const isPingRefused = link?.close(event.code, text, byPeer) === true;
    const isBound = link?.isBound === true;
    const hasListened = link?.dialect?.asks === false && this.lastReceived > this.#openedAt;
    const end = { code, text, wasClean, isBound, isPingRefused, hasListened, evidence };
    this.#port.emit(this, 'end', end);
  }

  #evidence(text: string): Partial<CloseRecord> {
    const { link } = this;
    const { status, retryAfter = readRetryAfter(text) } = this.#refusal;
    const known = {
      latency: link?.driver.heartbeat.latency,
      retryAfter: link?.retryAfter ?? retryAfter,
      ...(status !== undefined && { status }),
    };
    if (!this.#isOpen || link === undefined) return known;
    const { lastReceived, lastSent } = link.driver.heartbeat;
    const now = link.now();
    const { document } = globalThis as { document?: { hidden?: boolean } };
    return {
      ...known,
      ...this.#since,
      silentFor: now - lastReceived,
      quietFor: now - lastSent,
      bufferedAmount: this.bufferedAmount,
      hidden: document?.hidden,
    };
  }
}

/** Reads `retryAfter=5000`, in ms, from a close reason. */
function readRetryAfter(text: string): Millis | undefined {
  const digits = /\bretryAfter=(\d+)/.exec(text)?.[1];
  return digits === undefined ? digits : Number(digits);
}
