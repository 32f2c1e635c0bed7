import {
  Backoff,
  CloseCode,
  ConnectionClosedError,
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Millis,
  PeerMemory,
  type PingOptions,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type Timer,
  type WebSocketLike,
} from '@wirebeat/core';
import type { CloseRecord } from './close-record.ts';
import { checkClose } from './close-rules.ts';
import { Connection } from './connection.ts';
import {
  closeEvent,
  errorEvent,
  messageEvent,
  type SocketCloseEvent,
  type SocketMessageEvent,
} from './dom-events.ts';
import {
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from './reconnect-options.ts';
import { SendQueue } from './send-queue.ts';

/** The events of a {@link ReconnectingWebSocket}: the four of a WebSocket, and its heartbeat's. */
export type ReconnectingWebSocketEventMap = {
  readonly open: Event;
  readonly message: SocketMessageEvent;
  readonly error: Event;
  readonly close: SocketCloseEvent;
  /** The next attempt is scheduled: `attempt` counts from 1, `delay` is in ms. */
  readonly retry: CustomEvent<{ attempt: number; delay: Millis; cause: CloseRecord }>;
  /** There will be no further attempt. */
  readonly giveup: CustomEvent<{ attempts: number; cause: CloseRecord }>;
} & { readonly [Name in keyof HeartbeatEvents]: CustomEvent<HeartbeatEvents[Name]> };

type Listener<E> = ((event: E) => void) | { handleEvent(event: E): void };

/** As the standard's, which `@types/node` names otherwise. */
interface ListenerOptions {
  readonly capture?: boolean;
  readonly once?: boolean;
  readonly passive?: boolean;
  readonly signal?: AbortSignal;
}

type Handler<Name extends keyof ReconnectingWebSocketEventMap> =
  // biome-ignore lint/suspicious/noExplicitAny: a handler may return anything, as in the standard
  ((event: ReconnectingWebSocketEventMap[Name]) => any) | null;

/** How long `close()` waits for the closing handshake: on a dead link it never comes. */
const CLOSE_WAIT: Millis = 1_000;

/**
 * A WebSocket that knows when its link is dead, and comes back.
 *
 * Takes the place of `WebSocket`: the same events, properties and constants. When a connection
 * ends, `close` is dispatched and `readyState` is CONNECTING until the next `open`. Messages sent
 * meanwhile are queued. A dead link is left at once: nobody waits for its closing handshake.
 */
export class ReconnectingWebSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  readonly #address: string;
  readonly #protocols: string[] | undefined;
  readonly #options: ResolvedReconnectOptions;
  readonly #backoff: Backoff;
  readonly #queue: SendQueue;
  readonly #memory: PeerMemory = new PeerMemory();
  readonly #handlers: Map<string, ((event: never) => unknown) | null> = new Map();
  #readyState: number = ReadyState.Connecting;
  #connection: Connection | undefined;
  #retry: Timer | undefined;
  #url: string;
  #protocol = '';
  #extensions = '';
  #binaryType: string | undefined;

  /**
   * Dials at once.
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   * @throws what the WebSocket class throws for a bad url or protocol.
   */
  constructor(
    url: string | URL,
    protocols?: string | Iterable<string>,
    options: ReconnectOptions = {},
  ) {
    super();
    this.#options = resolveReconnectOptions(options);
    this.#address = this.#url = String(url);
    if (protocols !== undefined) {
      this.#protocols = typeof protocols === 'string' ? [protocols] : [...protocols];
    }
    this.#backoff = new Backoff(this.#options.backoff);
    this.#queue = new SendQueue(this.#options.maxQueuedBytes);
    this.#dial();
  }

  // What a WebSocket has.

  /** The address as the socket in use spells it. */
  get url(): string {
    return this.#url;
  }

  /** CONNECTING also while the next attempt is waited for. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState as 0 | 1 | 2 | 3;
  }

  /** The subprotocol of the connection, or of the last one. */
  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return this.#extensions;
  }

  /** Bytes that are queued here or in the socket. */
  get bufferedAmount(): number {
    const socket = this.#connection?.socket as { bufferedAmount?: number } | undefined;
    return this.#queue.bytes + (socket?.bufferedAmount ?? 0);
  }

  /**
   * How binary messages are given. Typed as the standard has it; `ws` knows `nodebuffer` too, and
   * has that as its default.
   */
  get binaryType(): 'blob' | 'arraybuffer' {
    const socket = this.#connection?.socket as { binaryType?: string } | undefined;
    return (this.#binaryType ?? socket?.binaryType ?? 'blob') as 'blob' | 'arraybuffer';
  }

  set binaryType(type: string) {
    this.#binaryType = type;
    if (this.#connection !== undefined) Reflect.set(this.#connection.socket, 'binaryType', type);
  }

  /**
   * Sends now, or queues the message until the next `open`.
   *
   * @throws {QueueOverflowError} if the queue is full. After `close()` the message is dropped, as
   * the standard has it.
   */
  send(data: SocketData): void {
    if (this.#readyState === ReadyState.Open) this.#connection?.socket.send(data as never);
    else if (this.#readyState === ReadyState.Connecting) this.#queue.push(data);
  }

  /**
   * Closes for good. `close` is dispatched after the closing handshake, or after a second.
   *
   * @throws {DOMException} `InvalidAccessError` if `code` is neither 1000 nor in [3000, 4999],
   * `SyntaxError` if `reason` is longer than 123 bytes.
   */
  close(code?: number, reason?: string): void {
    checkClose(code, reason);
    if (this.#readyState >= ReadyState.Closing) return;
    const wasOpen = this.#readyState === ReadyState.Open;
    this.#readyState = ReadyState.Closing;
    this.#retry?.cancel();
    if (wasOpen) return this.#connection?.close(code, reason, CLOSE_WAIT);
    const { scheduler } = this.#options;
    scheduler.at(scheduler.now(), () => this.#closeUnopened());
  }

  get onopen(): Handler<'open'> {
    return this.#handler('open');
  }

  set onopen(handler: Handler<'open'>) {
    this.#setHandler('open', handler);
  }

  get onmessage(): Handler<'message'> {
    return this.#handler('message');
  }

  set onmessage(handler: Handler<'message'>) {
    this.#setHandler('message', handler);
  }

  get onerror(): Handler<'error'> {
    return this.#handler('error');
  }

  set onerror(handler: Handler<'error'>) {
    this.#setHandler('error', handler);
  }

  get onclose(): Handler<'close'> {
    return this.#handler('close');
  }

  set onclose(handler: Handler<'close'>) {
    this.#setHandler('close', handler);
  }

  override addEventListener<Name extends keyof ReconnectingWebSocketEventMap>(
    type: Name,
    listener: Listener<ReconnectingWebSocketEventMap[Name]> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: Listener<Event> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: Listener<never> | null,
    options?: boolean | ListenerOptions,
  ): void {
    super.addEventListener(type, listener as Listener<Event> | null, options);
  }

  override removeEventListener<Name extends keyof ReconnectingWebSocketEventMap>(
    type: Name,
    listener: Listener<ReconnectingWebSocketEventMap[Name]> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: Listener<Event> | null,
    options?: boolean | ListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: Listener<never> | null,
    options?: boolean | ListenerOptions,
  ): void {
    super.removeEventListener(type, listener as Listener<Event> | null, options);
  }

  // What its heartbeat adds.

  /** What is known of the peer; `idle` without an open connection. */
  get status(): HeartbeatStatus {
    return this.#connection?.heartbeat.status ?? 'idle';
  }

  /** The last latency of this connection; undefined until the first. */
  get latency(): Millis | undefined {
    return this.#connection?.heartbeat.latency;
  }

  /** The worst time from the last byte received to `dead`, while the page runs; undefined without a connection. */
  get detectionBound(): Millis | undefined {
    return this.#connection?.heartbeat.detectionBound;
  }

  /** Pings now; resolves to the latency. Rejects as {@link SocketHeartbeat.ping} does. */
  async ping(options?: PingOptions): Promise<Millis> {
    if (this.#connection === undefined) throw new ConnectionClosedError();
    return this.#connection.heartbeat.ping(options);
  }

  /** Asks now because something hints that the link may be dead. */
  probe(): void {
    this.#connection?.heartbeat.probe();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Connections, one at a time.

  #dial(): void {
    const { WebSocket, connectTimeout, heartbeat } = this.#options;
    const socket = new WebSocket(this.#address, this.#protocols);
    if (this.#binaryType !== undefined) Reflect.set(socket, 'binaryType', this.#binaryType);
    this.#url = (socket as { url?: string }).url ?? this.#address;
    const options = { ...heartbeat, memory: this.#memory };
    this.#connection = new Connection(socket, options, connectTimeout, {
      opened: () => this.#opened(socket),
      received: (event) => this.#received(event),
      failed: (error) => this.#dispatch(errorEvent(error)),
      ended: (record) => this.#ended(record),
      beat: (name, event) => this.#dispatch(new CustomEvent(name, { detail: event })),
    });
  }

  #opened(socket: WebSocketLike & { protocol?: string; extensions?: string }): void {
    if (this.#readyState !== ReadyState.Connecting) return; // closed in the meantime
    this.#readyState = ReadyState.Open;
    this.#protocol = socket.protocol ?? '';
    this.#extensions = socket.extensions ?? '';
    this.#dispatch(new Event('open'));
    if (this.#readyState !== ReadyState.Open) return;
    for (const message of this.#queue.drain()) socket.send(message as never);
  }

  #received(event: SocketEvent): void {
    if (this.#readyState !== ReadyState.Open) return; // closing: the standard drops it
    this.#dispatch(messageEvent(event.data, originOf(this.#url)));
  }

  #ended(record: CloseRecord): void {
    if (this.#connection?.isStable(this.#options.stableFor)) this.#backoff.reset();
    this.#connection = undefined;
    if (this.#readyState === ReadyState.Closing) return this.#finish(record);
    const goesOn = this.#goesOnAfter(record);
    this.#readyState = goesOn ? ReadyState.Connecting : ReadyState.Closed;
    if (record.wasOpen) this.#dispatchClose(record);
    if (!goesOn) return this.#giveUp(record);
    if (this.#readyState === ReadyState.Connecting) this.#wait(record); // else closed by a listener
  }

  #goesOnAfter(record: CloseRecord): boolean {
    const { maxAttempts, shouldReconnect } = this.#options;
    if (this.#backoff.attempt >= maxAttempts) return false;
    try {
      return shouldReconnect(record);
    } catch (error) {
      void Promise.reject(error); // reported; a mistake there does not end the connection for good
      return true;
    }
  }

  #wait(cause: CloseRecord): void {
    const { scheduler } = this.#options;
    const delay = this.#backoff.next();
    const redial = () => {
      this.#retry = undefined;
      try {
        this.#dial();
      } catch (error) {
        this.#dispatch(errorEvent(error));
        this.#ended({ ...cause, reason: 'abnormal', wasOpen: false });
      }
    };
    this.#retry = scheduler.at(scheduler.now() + delay, redial);
    const detail = { attempt: this.#backoff.attempt, delay, cause };
    this.#dispatch(new CustomEvent('retry', { detail }));
  }

  #giveUp(cause: CloseRecord): void {
    const detail = { attempts: this.#backoff.attempt, cause };
    this.#dispatch(new CustomEvent('giveup', { detail }));
    if (!cause.wasOpen) this.#dispatchClose(cause);
  }

  /** The user closed while dialling, or between two attempts. */
  #closeUnopened(): void {
    if (this.#readyState === ReadyState.Closed) return; // the attempt has failed by itself
    if (this.#connection !== undefined) return this.#connection.abandon('user');
    this.#finish({ code: CloseCode.Abnormal, text: '', wasClean: false });
  }

  #finish(end: Pick<CloseRecord, 'code' | 'text' | 'wasClean'>): void {
    this.#readyState = ReadyState.Closed;
    this.#dispatchClose(end);
  }

  // Events.

  #dispatchClose({ code, text, wasClean }: Pick<CloseRecord, 'code' | 'text' | 'wasClean'>): void {
    this.#dispatch(closeEvent({ code, reason: text, wasClean }));
  }

  #dispatch(event: Event): void {
    this.dispatchEvent(event);
  }

  #handler<Name extends keyof ReconnectingWebSocketEventMap>(name: Name): Handler<Name> {
    return (this.#handlers.get(name) as Handler<Name> | undefined) ?? null;
  }

  #setHandler<Name extends keyof ReconnectingWebSocketEventMap>(
    name: Name,
    handler: Handler<Name>,
  ): void {
    const isFirst = !this.#handlers.has(name);
    this.#handlers.set(name, typeof handler === 'function' ? handler : null);
    // A listener of its own: the same function may be added as a listener too.
    const call = (event: Event) => this.#handlers.get(name)?.call(this, event as never);
    if (isFirst) super.addEventListener(name, call);
  }
}

/** The `origin` of a message's event: that of the server. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : '';
}
