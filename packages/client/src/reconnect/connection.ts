import {
  CloseCode,
  type Heartbeat,
  type HeartbeatEvent,
  type Instant,
  type Millis,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type WebSocketLike,
} from '@wirebeat/core';
import { IS_PAGE } from '../development.ts';
import { Link, type LinkOptions, receiveMessage } from '../link.ts';
import { ignoreErrors, terminate } from '../socket/terminate.ts';
import type { CloseRecord } from './close-record.ts';
import type { ConnectionEnd, ConnectionId } from './machine/orders.ts';
import { type HandshakeRefusal, watchNodeSocket } from './node-socket.ts';
import { retryAfterInReason } from './retry-after.ts';

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

/** Returns a function that dials, or a promise of it. The signal is aborted if the attempt ends first. */
export type ResolveAddress = (
  signal: AbortSignal,
) => (() => WebSocketLike) | Promise<() => WebSocketLike>;

/** An event of any type. The sockets of Node have an error. */
type AnySocketEvent = SocketEvent & { readonly error?: unknown };

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
  /** What was received while this was the standby, and behind it. */
  held: unknown[] = [];
  /** Is passed each message while the application prepares the connection. */
  receive: ((data: unknown) => void) | undefined;
  /** Whether the address was known, so that a socket was created. */
  hasAddress = false;
  readonly #port: ConnectionPort;
  readonly #asking: AbortController = new AbortController();
  readonly #release: (() => void)[] = [];
  /** The events of the heartbeat before `open`. They are emitted after it. */
  #early: HeartbeatEvent[] | undefined = [];
  #since: Since = { missedPings: 0 };
  #refusal: HandshakeRefusal | undefined;
  #hasClosed = false; // whether this side has started the closing handshake
  #openedAt: Instant | undefined;
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

  /** The state of the heartbeat; undefined before there is a socket. */
  get heartbeat(): Heartbeat | undefined {
    return this.link?.driver.heartbeat;
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
  dial(resolve: ResolveAddress, options: LinkOptions): void {
    const resolved = resolve(this.signal);
    if (typeof resolved === 'function') return this.#dial(resolved, options);
    resolved
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

  /** Starts the closing handshake. */
  close(code?: number, text?: string): void {
    this.#asking.abort();
    this.#hasClosed = true;
    if (this.#isOpen) this.socket?.close(code, text); // otherwise, there is nobody to shake hands with
  }

  /**
   * Stops watching the socket, and drops its connection at once. Without a `text`, an open socket
   * completes its closing handshake instead.
   */
  end(text?: string): void {
    this.held = [];
    this.#end({ type: 'close' });
    const { socket } = this;
    if (socket === undefined) return;
    if (text === undefined && this.#isOpen) ignoreErrors(socket);
    else terminate(socket, text ?? '');
  }

  get #isOpen(): boolean {
    return this.#openedAt !== undefined;
  }

  #dial(dial: () => WebSocketLike, options: LinkOptions): void {
    this.hasAddress = true;
    const socket = dial();
    if (this.#isEnded) return terminate(socket, ''); // the `WebSocket` option closed or reconnected
    const link = new Link(socket, options, (...event) => this.#beat(...event));
    this.socket = socket;
    this.link = link;
    if (!IS_PAGE) {
      const unwatch = watchNodeSocket(socket, {
        ping: () => link.driver.receive(),
        refused: (refusal, error) => {
          this.#refusal = refusal;
          this.#port.emit(this, 'error', error);
        },
      });
      this.#release.push(unwatch);
    }
    this.#listen(socket, {
      open: () => this.#open(link),
      message: ({ data, timeStamp }) => {
        const left = receiveMessage(link, data, timeStamp);
        if (left !== undefined) this.#port.receive(this, left);
      },
      error: ({ error }) => this.#port.emit(this, 'error', error),
      close: (event) => this.#end(event),
    });
  }

  #listen(socket: WebSocketLike, calls: Record<string, (event: AnySocketEvent) => void>): void {
    for (const [type, call] of Object.entries(calls)) {
      const listener = (event: SocketEvent) => {
        if (!this.#isEnded) call(event);
      };
      socket.addEventListener(type, listener);
      this.#release.push(() => socket.removeEventListener(type, listener));
    }
  }

  /** Pings first, so that the first ping comes before what listeners of `open` send. */
  #open(link: Link): void {
    if (this.#hasClosed) return;
    link.open((this.socket as { protocol?: string }).protocol);
    this.#openedAt = link.driver.heartbeat.lastReceived;
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
    const { link } = this;
    const { code = CloseCode.Abnormal, wasClean = false } = event;
    const text = `${event.reason ?? ''}`;
    const evidence = this.#evidence(text);
    const byPeer = code !== CloseCode.Abnormal && !this.#hasClosed;
    link?.release();
    this.#port.emit(this, 'end', {
      code,
      text,
      wasClean,
      evidence,
      isPingRefused: link?.close(event.code, text, byPeer) === true,
      isBound: link?.isBound === true,
      hasListened:
        link?.dialect?.asks === false && link.driver.heartbeat.lastReceived > (this.#openedAt ?? 0),
    });
  }

  #evidence(text: string): Partial<CloseRecord> {
    const { link, heartbeat } = this;
    const known = {
      latency: heartbeat?.latency,
      retryAfter: link?.retryAfter ?? retryAfterInReason(text),
      ...(!IS_PAGE && this.#refusal),
    };
    if (!this.#isOpen || link === undefined || heartbeat === undefined) return known;
    const { lastReceived, lastSent } = heartbeat;
    const now = link.now();
    return {
      ...known,
      ...this.#since,
      silentFor: now - lastReceived,
      quietFor: now - lastSent,
      bufferedAmount: this.bufferedAmount,
      hidden: (globalThis as { document?: { hidden?: boolean } }).document?.hidden,
    };
  }
}
