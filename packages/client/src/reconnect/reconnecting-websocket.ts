import {
  ConnectionClosedError,
  DEFAULTS,
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
 * A WebSocket that knows when its link is dead, and comes back.
 *
 * Takes the place of `WebSocket`: the same events, properties and constants. When a connection
 * ends, `close` is dispatched and `readyState` is CONNECTING until the next `open`. Messages sent
 * meanwhile are queued. A dead link is left at once: nobody waits for its closing handshake.
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
  #isUnanswered = false; // and that was said
  #protocol = '';
  #extensions = '';
  #binaryType: string | undefined;

  /**
   * Dials at once.
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   * @throws {ReferenceError} if the runtime lacks `EventTarget`, `Event` or `AbortController`.
   * @throws {DOMException} `SyntaxError` for a bad url or protocol. Where functions give them, that
   * is an attempt that failed.
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

  // What a WebSocket has.

  /** The address that is dialled; empty until a function has given one. */
  get url(): string {
    return this.#dialer.url;
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
    return this.#delivery.bytes + (socket?.bufferedAmount ?? 0);
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
    if (type !== 'blob' && type !== 'arraybuffer') return; // as the standard has it
    this.#binaryType = type;
    if (this.#connection?.socket) Reflect.set(this.#connection.socket, 'binaryType', type);
  }

  /**
   * Sends now, or queues the message until the next `open`. Converts it as the standard does: bytes
   * are an ArrayBuffer, a view or a Blob, and all else is text. If the socket throws at it, the event
   * `drop` hands it back. After `close()` the message is dropped, as the standard has it.
   *
   * @throws {QueueOverflowError} if the queue is full, unless `queuePolicy` drops what is too much.
   * @throws {TypeError} if it is a symbol, or a view of memory that is shared or can be resized.
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
   * Closes for good. `close` is dispatched after the closing handshake, or after a second.
   *
   * @throws {DOMException} `InvalidAccessError` if `code` is neither 1000 nor in [3000, 4999],
   * `SyntaxError` if `reason` is longer than 123 bytes.
   */
  close(code?: number, reason?: string): void {
    this.#close(...readClose(code, reason));
  }

  // What its heartbeat adds.

  /** What is known of the peer; `idle` without an open connection. */
  get status(): HeartbeatStatus {
    return this.#connection?.heartbeat?.status ?? 'idle';
  }

  /** The last latency of this connection; undefined until the first. */
  get latency(): Millis | undefined {
    return this.#connection?.heartbeat?.latency;
  }

  /** When anything was last received on this connection, by the scheduler's clock; undefined without one. */
  get lastReceived(): Instant | undefined {
    return this.#connection?.heartbeat?.lastReceived;
  }

  /** The worst time from the last byte received to `dead`, while the page runs; undefined without a connection. */
  get detectionBound(): Millis | undefined {
    return this.#connection?.heartbeat?.detectionBound;
  }

  /**
   * Pings now; resolves to the latency. Rejects as {@link SocketHeartbeat.ping} does, and an `id` that
   * begins with `_`: those are of the pings that ask for confirmations.
   *
   * It goes out at once, so keep to the limit of the server: `@wirebeat/server` closes a client that
   * sends more than 50 at once or, in the long run, more than 5 a second.
   */
  async ping(options?: PingOptions): Promise<Millis> {
    const id = options?.id;
    if (id?.startsWith(ID_PREFIX)) {
      throw new InvalidOptionError('id', `without ${ID_PREFIX} at its beginning`, id);
    }
    if (!this.#connection?.heartbeat) throw new ConnectionClosedError();
    return this.#connection.heartbeat.ping(options);
  }

  /** Asks now because something hints that the link may be dead. */
  probe(): void {
    this.#connection?.heartbeat?.probe();
  }

  /**
   * Leaves the connection, the attempt or the wait that there is, and dials at once; the backoff
   * begins anew. Does nothing after `close()` and once it has given up.
   */
  reconnect(): void {
    if (this.#readyState >= ReadyState.Closing) return;
    this.#retry.backoff.reset();
    this.#delivery.interrupt(); // what is held is for the next connection
    this.#standby.cancel();
    if (this.status === 'alive') this.#connection?.discard('reconnect');
    else if (this.#connection !== undefined) this.#connection.abandon('reconnect');
    else this.#retry.end(); // also in a listener of `close`, before the wait has begun
  }

  /**
   * Resolves once the peer's WebSocket layer has read all that was sent until now, and says whose that
   * is: whether the application has, only the application knows. Rejects with {@link ConnectionClosedError} if the
   * connection ends before, and what it did not confirm is not sent again.
   */
  flushed(): Promise<Flushed> {
    return this.#delivery.flushed();
  }

  /**
   * With `confirm` or `resend`: what was sent and not confirmed, on this connection or, until the
   * next `open`, on the last.
   */
  get unconfirmed(): readonly SocketData[] {
    return this.#delivery.unconfirmed;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Connections, one at a time.

  #create(url: string, protocols?: string[]): WebSocketLike {
    const socket = this.#options.createWebSocket(url, protocols);
    if (this.#binaryType !== undefined) Reflect.set(socket, 'binaryType', this.#binaryType);
    return socket;
  }

  /** The one place where connections begin. */
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
    const connection = this.#connection as Connection; // whose open this is
    const socket = connection.socket as WebSocketLike & { protocol?: string; extensions?: string };
    this.#readyState = ReadyState.Open;
    this.#protocol = socket.protocol ?? '';
    this.#extensions = socket.extensions ?? '';
    this.#announcer.tell(new Event('open'));
    connection.makeReady(() => this.#delivery.begin(connection), held);
  }

  #received(event: SocketEvent): void {
    this.#standby.heard();
    if (this.#readyState !== ReadyState.Open) return; // closing: the standard drops it
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
    if (this.#readyState !== ReadyState.Connecting) return; // a listener has closed
    if (next !== undefined) this.#use(next);
    else if (this.#connection === undefined) this.#wait(record); // else a listener has dialled
  }

  /** The standby is in use from here; if it is not open yet, it will say so itself. */
  #use({ connection, held }: TakeOver): void {
    if (this.#connection === connection && connection.isOpen) this.#opened(held);
  }

  #beat<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    this.#delivery.beat(name, event);
    if (name === 'alive') this.#standby.recovered();
    // Of a peer that has never answered, silence says nothing.
    const isInUse = this.#readyState === ReadyState.Open;
    if (name === 'suspect' && isInUse && this.#memory.hasAnswered) this.#standby.suspected();
    if (name === 'pong') this.#isUnanswered = false;
    if (name === 'unanswered') this.#unansweredBy(event as HeartbeatEvents['unanswered']);
    else this.#announcer.announce(name, event);
  }

  /** Whether nothing at all has come since the pings that were not answered: it may be dead. */
  get #isSilent(): boolean {
    const { pingTimeout = DEFAULTS.pingTimeout } = this.#options.heartbeat;
    return this.#silentFor >= Number(pingTimeout);
  }

  get #silentFor(): Millis {
    return this.#options.scheduler.now() - (this.lastReceived ?? 0);
  }

  /** The connection in use is not answered. If it may be dead, a standby finds that out. */
  #unansweredBy(event: HeartbeatEvents['unanswered']): void {
    const mayBeDead = event.reason === 'silent' && this.#memory.speaks && this.#isSilent;
    if (mayBeDead && this.#readyState === ReadyState.Open) this.#standby.unanswered();
    else this.#unanswered(event);
  }

  /** Said once, and again only if the peer has answered meanwhile. */
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
      else this.#connection.abandon('user'); // it came of a function that makes sockets, and closed
    });
  }

  #finish(end: CloseRecord): void {
    if (this.#readyState === ReadyState.Closed) return;
    this.#readyState = ReadyState.Closed;
    this.#leave();
    this.#announcer.closed(end);
  }

  /** It is over: nothing is kept. */
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
