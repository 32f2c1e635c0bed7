import {
  ConnectionClosedError,
  HEARTBEAT_SCHEMA,
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Instant,
  InvalidOptionError,
  type Millis,
  onAbort,
  PeerMemory,
  type PingOptions,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type WebSocketLike,
} from '@wirebeat/core';
import { WATCHED } from '../attach.ts';
import { type Flushed, ID_PREFIX, Outbox } from '../outbox/outbox.ts';
import { sendable } from '../outbox/send-queue.ts';
import { readClose } from '../websocket-api/close-arguments.ts';
import { messageEvent } from '../websocket-api/dom-events.ts';
import { type DropReason, WebSocketEventTarget } from '../websocket-api/event-target.ts';
import { type CloseRecord, NEVER_DIALLED } from './close-record.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Dialer, type ProtocolsSource, type UrlSource } from './dialer.ts';
import { EventDispatcher } from './event-dispatcher.ts';
import {
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from './options.ts';
import { RetryPolicy } from './retry-policy.ts';
import { drawSession } from './session.ts';
import { Standby, type TakeOver } from './standby.ts';

/**
 * A WebSocket that detects a dead link and reconnects.
 *
 * A replacement for `WebSocket` with the same events, properties and constants. When a connection
 * ends, `close` is dispatched, and `readyState` is CONNECTING until the next `open`. Messages sent
 * in between are queued. A dead connection is terminated at once, without a closing handshake.
 */
export class ReconnectingWebSocket extends WebSocketEventTarget {
  readonly #options: ResolvedReconnectOptions;
  readonly #announcer: EventDispatcher;
  readonly #dialer: Dialer;
  readonly #delivery: Outbox;
  readonly #standby: Standby;
  readonly #session: string | undefined;
  readonly #retry: RetryPolicy;
  readonly #memory: PeerMemory = new PeerMemory();
  readonly #ignoreSignal: (() => void) | undefined;
  readonly #owner: ConnectionOwner = {
    opened: () => this.#opened(),
    received: (event) => this.#received(event),
    failed: (error) => this.#announcer.failed(error),
    ended: (record) => this.#ended(record),
    beat: (name, event) => this.#beat(name, event),
  };
  #readyState: number = ReadyState.Connecting;
  #connection: Connection | undefined;
  #lastClose: CloseRecord | undefined;
  #isUnanswered = false; // whether `unanswered` was dispatched
  #protocol = '';
  #extensions = '';
  #binaryType: string | undefined;

  /**
   * Connects at once.
   *
   * @throws {InvalidOptionError} if an option is out of range or unknown.
   * @throws {ReferenceError} if the runtime lacks `EventTarget`, `Event` or `AbortController`.
   * @throws {DOMException} `SyntaxError` if `url` or `protocols` is invalid. If a function returns
   * the invalid value, the attempt fails instead.
   */
  constructor(url: UrlSource, protocols?: ProtocolsSource, options: ReconnectOptions = {}) {
    super();
    WATCHED.add(this); // it has its own heartbeat
    this.#options = resolveReconnectOptions(options);
    this.#dialer = new Dialer(url, protocols, (...address) => this.#create(...address));
    this.#announcer = new EventDispatcher(this, this.#options.logger);
    this.#delivery = new Outbox(this.#options, (message, error) => {
      this.#announcer.failed(error);
      this.#dropped('undeliverable', [message]);
    });
    this.#standby = new Standby(this.#options, {
      dial: (owner) => this.#dial(owner),
      replace: (reason) => this.#connection?.abandon(reason),
      hold: (isHeld) => this.#delivery.hold(isHeld),
      unanswered: () => this.#unanswered({ silentFor: this.#silentFor, reason: 'silent' }),
    });
    if (this.#options.makeBeforeBreak) this.#session = drawSession();
    this.#retry = new RetryPolicy(this.#options, () => this.#redial());
    const { signal } = this.#options;
    if (signal?.aborted) this.#close();
    else this.#connection = this.#dial(this.#owner);
    this.#ignoreSignal = signal && onAbort(signal, () => this.close());
  }

  // The API of WebSocket.

  /** The address to connect to; empty until a function has returned one. */
  get url(): string {
    return this.#dialer.url;
  }

  /** As in `WebSocket`. It is CONNECTING during the wait for the next attempt too. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState as 0 | 1 | 2 | 3;
  }

  /** The subprotocol of the current connection, or of the last one. */
  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return this.#extensions;
  }

  /** The bytes queued here and in the socket. */
  get bufferedAmount(): number {
    const socket = this.#connection?.socket as { bufferedAmount?: number } | undefined;
    return this.#delivery.bytes + (socket?.bufferedAmount ?? 0);
  }

  /**
   * The type of received binary messages. Typed as in the standard; `ws` also has `nodebuffer`,
   * which is its default.
   */
  get binaryType(): 'blob' | 'arraybuffer' {
    const socket = this.#connection?.socket as { binaryType?: string } | undefined;
    return (this.#binaryType ?? socket?.binaryType ?? 'blob') as 'blob' | 'arraybuffer';
  }

  set binaryType(type: string) {
    if (type !== 'blob' && type !== 'arraybuffer') return; // the standard ignores other values
    this.#binaryType = type;
    if (this.#connection?.socket) Reflect.set(this.#connection.socket, 'binaryType', type);
  }

  /**
   * Sends a message now, or queues it until the next `open`. Converts it as the standard does: an
   * ArrayBuffer, a view or a Blob is sent as bytes, and everything else as text. If the `send()` of
   * the underlying socket throws, the `drop` event returns the message. After `close()`, the
   * message is discarded, as the standard requires.
   *
   * @throws {QueueOverflowError} if the queue is full and `queuePolicy` is `error`.
   * @throws {TypeError} if `data` is a symbol, or if its memory is shared or resizable.
   */
  send(data: SocketData): void;
  send(...args: [data?: SocketData]): void {
    if (args.length === 0) throw new TypeError('send() needs a message');
    const message = sendable(args[0]);
    const { socket, isOpening } = this.#connection ?? {};
    if (this.#readyState >= ReadyState.Closing) this.#delivery.lose(message);
    else if (socket !== undefined && isOpening) this.#delivery.sendFirst(socket, message);
    else this.#dropped('overflow', this.#delivery.send(message));
  }

  /**
   * Closes the connection and does not reconnect. `close` is dispatched after the closing
   * handshake, or after 1 s.
   *
   * @throws {DOMException} `InvalidAccessError` if `code` is neither 1000 nor in [3000, 4999],
   * `SyntaxError` if `reason` is longer than 123 bytes of UTF-8.
   */
  close(code?: number, reason?: string): void {
    this.#close(...readClose(code, reason));
  }

  // The API of the heartbeat.

  /** What is known about the peer; `idle` if the connection is not open. */
  get status(): HeartbeatStatus {
    return this.#connection?.heartbeat?.status ?? 'idle';
  }

  /** The last measured latency of this connection in ms; undefined before the first pong. */
  get latency(): Millis | undefined {
    return this.#connection?.heartbeat?.latency;
  }

  /**
   * When anything was last received on this connection, in ms on the clock of the scheduler;
   * undefined without a connection.
   */
  get lastReceived(): Instant | undefined {
    return this.#connection?.heartbeat?.lastReceived;
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, while the page runs; undefined
   * without a connection. `Infinity` if pings or their timeout are off.
   */
  get detectionBound(): Millis | undefined {
    return this.#connection?.heartbeat?.detectionBound;
  }

  /**
   * Pings now; resolves to the latency in ms. Rejects as {@link SocketHeartbeat.ping} does, and
   * with {@link InvalidOptionError} if `id` starts with `_`: such ids belong to pings that confirm
   * messages.
   *
   * The ping is sent at once, so respect the limit of the server: `@wirebeat/server` closes a
   * client that sends more than 50 pings at once or, on average, more than 5 a second.
   */
  async ping(options?: PingOptions): Promise<Millis> {
    const id = options?.id;
    if (id?.startsWith(ID_PREFIX)) {
      throw new InvalidOptionError('id', `without ${ID_PREFIX} at its beginning`, id);
    }
    if (!this.#connection?.heartbeat) throw new ConnectionClosedError();
    return this.#connection.heartbeat.ping(options);
  }

  /**
   * Pings now because the link may be dead. If no answer comes within 5 s, the peer is `suspect`.
   */
  probe(): void {
    this.#connection?.heartbeat?.probe();
  }

  /**
   * Ends the current connection, attempt or wait, and connects again at once. Resets the backoff.
   * Does nothing after `close()` or `giveup`.
   */
  reconnect(): void {
    if (this.#readyState >= ReadyState.Closing) return;
    this.#retry.backoff.reset();
    this.#delivery.interrupt(); // held messages go to the next connection
    this.#standby.cancel();
    if (this.status === 'alive') this.#connection?.discard('reconnect');
    else if (this.#connection !== undefined) this.#connection.abandon('reconnect');
    else this.#retry.end(); // also in a `close` listener, before the wait begins
  }

  /**
   * Resolves once the WebSocket layer of the peer has read all messages sent so far. The result
   * says whether that peer is the server or a gateway. This does not mean that the application at
   * the other end has processed them. Rejects with {@link ConnectionClosedError} if the connection
   * ends first and unconfirmed messages are not sent again.
   */
  flushed(): Promise<Flushed> {
    return this.#delivery.flushed();
  }

  /**
   * The messages that were sent and not confirmed, on this connection or, until the next `open`, on
   * the last one. Always empty without `confirm` or `resend`.
   */
  get unconfirmed(): readonly SocketData[] {
    return this.#delivery.unconfirmed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Connections.

  #create(url: string, protocols?: string[]): WebSocketLike {
    const socket = this.#options.createWebSocket(url, protocols);
    if (this.#binaryType !== undefined) Reflect.set(socket, 'binaryType', this.#binaryType);
    return socket;
  }

  /** Starts a connection. All connections start here. */
  #dial(owner: ConnectionOwner): Connection {
    const { attempt } = this.#retry.backoff;
    const lastClose = this.#lastClose;
    const prepare = (signal: AbortSignal) => this.#dialer.prepare({ attempt, lastClose, signal });
    return new Connection(prepare, this.#options, this.#memory, owner, this.#session);
  }

  #redial(): void {
    try {
      this.#connection = this.#dial(this.#owner);
    } catch (error) {
      this.#announcer.failed(error);
      this.#ended(NEVER_DIALLED);
    }
  }

  #opened(held?: readonly SocketEvent[]): void {
    const connection = this.#connection as Connection; // the connection that has opened
    const socket = connection.socket as WebSocketLike & { protocol?: string; extensions?: string };
    this.#readyState = ReadyState.Open;
    this.#protocol = socket.protocol ?? '';
    this.#extensions = socket.extensions ?? '';
    this.#announcer.tell(new Event('open'));
    connection.makeReady(() => this.#delivery.begin(connection), held);
  }

  #received(event: SocketEvent): void {
    this.#standby.heard();
    if (this.#readyState !== ReadyState.Open) return; // closing: the standard discards it
    this.dispatchEvent(messageEvent(event.data, this.#dialer.origin));
  }

  #ended(record: CloseRecord): void {
    if (this.#connection?.isStable(this.#options.stableFor)) this.#retry.backoff.reset();
    const refused = this.#delivery.interrupt(record);
    const isBound = this.#connection?.heartbeat?.isBound === true;
    const next = this.#standby.takeOver(this.#owner, record, isBound);
    this.#connection = next?.connection;
    this.#lastClose = record;
    if (this.#readyState === ReadyState.Closing) {
      this.#dropped('undeliverable', refused);
      return this.#finish(record);
    }
    const goesOn = next !== undefined || this.#retry.isWorth(record);
    this.#readyState = goesOn ? ReadyState.Connecting : ReadyState.Closed;
    if (record.wasOpen) this.#announcer.closed(record);
    this.#dropped('undeliverable', refused);
    if (!goesOn) return this.#giveUp(record);
    if (this.#readyState !== ReadyState.Connecting) return; // a listener called `close()`
    if (next !== undefined) this.#use(next);
    else if (this.#connection === undefined) this.#wait(record); // else a listener has reconnected
  }

  /** Uses the standby from now on. If it is not open yet, it calls `opened` later. */
  #use({ connection, held }: TakeOver): void {
    if (this.#connection === connection && connection.isOpen) this.#opened(held);
  }

  #beat<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    this.#delivery.beat(name, event);
    if (name === 'alive') this.#standby.recovered();
    // If a peer has never answered, a missing answer does not mean that the link is dead.
    const isInUse = this.#readyState === ReadyState.Open;
    if (name === 'suspect' && isInUse && this.#memory.hasAnswered) this.#standby.suspected();
    if (name === 'pong') this.#isUnanswered = false;
    if (name === 'unanswered') this.#unansweredBy(event as HeartbeatEvents['unanswered']);
    else this.#announcer.announce(name, event);
  }

  /** Whether nothing at all was received for `pingTimeout`, so that the link may be dead. */
  get #isSilent(): boolean {
    const { pingTimeout = HEARTBEAT_SCHEMA.pingTimeout.default } = this.#options.heartbeat;
    return this.#silentFor >= Number(pingTimeout);
  }

  get #silentFor(): Millis {
    return this.#options.scheduler.now() - (this.lastReceived ?? 0);
  }

  /** Handles a peer that does not answer. If the link may be dead, dials a standby to find out. */
  #unansweredBy(event: HeartbeatEvents['unanswered']): void {
    const mayBeDead = event.reason === 'silent' && this.#memory.speaks && this.#isSilent;
    if (mayBeDead && this.#readyState === ReadyState.Open) this.#standby.unanswered();
    else this.#unanswered(event);
  }

  /** Dispatches `unanswered` once, and again only after the peer has answered. */
  #unanswered(event: HeartbeatEvents['unanswered']): void {
    if (this.#isUnanswered) return;
    this.#isUnanswered = true;
    this.#announcer.announce('unanswered', event);
  }

  #wait(cause: CloseRecord): void {
    const delay = this.#retry.begin(cause);
    this.#announcer.announce('retry', { attempt: this.#retry.backoff.attempt, delay, cause });
  }

  #giveUp(cause: CloseRecord): void {
    this.#leave();
    this.#announcer.announce('giveup', { attempts: this.#retry.backoff.attempt, cause });
    if (!cause.wasOpen) this.#announcer.closed(cause);
  }

  #close(...end: [code?: number, reason?: string]): void {
    if (this.#readyState >= ReadyState.Closing) return;
    this.#readyState = ReadyState.Closing;
    this.#retry.cancel();
    this.#standby.cancel();
    if (this.#connection !== undefined) return this.#connection.close(...end);
    const { scheduler } = this.#options;
    scheduler.at(scheduler.now(), () => {
      if (this.#connection === undefined) this.#finish(NEVER_DIALLED);
      else this.#connection.abandon('user'); // `createWebSocket` called `close()` while it ran
    });
  }

  #finish(end: CloseRecord): void {
    if (this.#readyState === ReadyState.Closed) return;
    this.#readyState = ReadyState.Closed;
    this.#leave();
    this.#announcer.closed(end);
  }

  /** Releases everything after the end. */
  #leave(): void {
    this.#ignoreSignal?.();
    this.#standby.cancel();
    const messages = this.#delivery.end();
    this.#dropped('close', messages);
  }

  #dropped(reason: DropReason, messages: readonly SocketData[]): void {
    const count = messages.length;
    if (count > 0) this.#announcer.announce('drop', { messages, reason }, { count, reason });
  }
}
