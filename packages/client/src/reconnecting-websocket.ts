import {
  ConnectionClosedError,
  type HeartbeatStatus,
  type Millis,
  PeerMemory,
  type PingOptions,
  ReadyState,
  type SocketData,
  type SocketEvent,
  type WebSocketLike,
} from '@wirebeat/core';
import { Announcer } from './announcer.ts';
import { type CloseRecord, NEVER_DIALLED } from './close-record.ts';
import { readClose } from './close-rules.ts';
import { Connection, type ConnectionOwner } from './connection.ts';
import { Dialer, type ProtocolsSource, type UrlSource } from './dialer.ts';
import { messageEvent } from './dom-events.ts';
import {
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from './reconnect-options.ts';
import { RetryWait } from './retry-wait.ts';
import { SendQueue, sendable } from './send-queue.ts';
import { WebSocketFace } from './web-socket-face.ts';

/**
 * A WebSocket that knows when its link is dead, and comes back.
 *
 * Takes the place of `WebSocket`: the same events, properties and constants. When a connection
 * ends, `close` is dispatched and `readyState` is CONNECTING until the next `open`. Messages sent
 * meanwhile are queued. A dead link is left at once: nobody waits for its closing handshake.
 */
export class ReconnectingWebSocket extends WebSocketFace {
  readonly #options: ResolvedReconnectOptions;
  readonly #announcer: Announcer;
  readonly #dialer: Dialer;
  readonly #queue: SendQueue;
  readonly #retry: RetryWait;
  readonly #memory: PeerMemory = new PeerMemory();
  readonly #abort: () => void = () => this.close();
  #readyState: number = ReadyState.Connecting;
  #connection: Connection | undefined;
  #lastClose: CloseRecord | undefined;
  #protocol = '';
  #extensions = '';
  #binaryType: string | undefined;

  /**
   * Dials at once.
   *
   * @throws {InvalidOptionError} if an option is out of its range or unknown.
   * @throws {DOMException} `SyntaxError` for a bad url or protocol. Where functions give them, that
   * is an attempt that failed.
   */
  constructor(url: UrlSource, protocols?: ProtocolsSource, options: ReconnectOptions = {}) {
    super();
    this.#options = resolveReconnectOptions(options);
    this.#dialer = new Dialer(url, protocols, (...address) => this.#create(...address));
    this.#announcer = new Announcer(this, this.#options.logger);
    this.#queue = new SendQueue(this.#options);
    this.#retry = new RetryWait(this.#options, () => this.#redial());
    const { signal } = this.#options;
    if (signal?.aborted) this.#close();
    else this.#connection = this.#dial();
    signal?.addEventListener('abort', this.#abort);
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
    if (type !== 'blob' && type !== 'arraybuffer') return; // as the standard has it
    this.#binaryType = type;
    if (this.#connection?.socket) Reflect.set(this.#connection.socket, 'binaryType', type);
  }

  /**
   * Sends now, or queues the message until the next `open`.
   *
   * @throws {QueueOverflowError} if the queue is full, unless `queuePolicy` drops what is too much.
   * After `close()` the message is dropped, as the standard has it.
   */
  send(data: SocketData): void;
  send(...args: [data?: SocketData]): void {
    if (args.length === 0) throw new TypeError('send() needs a message');
    const message = sendable(args[0] as SocketData);
    if (this.#readyState >= ReadyState.Closing) this.#queue.lose(message);
    else if (this.#connection?.takesMessages) this.#connection.socket?.send(message as never);
    else this.#dropped('overflow', this.#queue.push(message));
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

  /** The worst time from the last byte received to `dead`, while the page runs; undefined without a connection. */
  get detectionBound(): Millis | undefined {
    return this.#connection?.heartbeat?.detectionBound;
  }

  /** Pings now; resolves to the latency. Rejects as {@link SocketHeartbeat.ping} does. */
  async ping(options?: PingOptions): Promise<Millis> {
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
    if (this.#connection !== undefined) this.#connection.abandon('reconnect');
    else this.#retry.end(); // also in a listener of `close`, before the wait has begun
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
  #dial(): Connection {
    const { attempt } = this.#retry.backoff;
    const lastClose = this.#lastClose;
    const owner: ConnectionOwner = {
      opened: () => this.#opened(connection),
      received: (event) => this.#received(event),
      failed: (error) => this.#announcer.failed(error),
      ended: (record) => this.#ended(record),
      beat: (name, event) => this.#announcer.announce(name, event),
    };
    const connection: Connection = new Connection(
      (signal) => this.#dialer.prepare({ attempt, lastClose, signal }),
      this.#options,
      this.#memory,
      owner,
    );
    return connection;
  }

  #redial(): void {
    try {
      this.#connection = this.#dial();
    } catch (error) {
      this.#announcer.failed(error);
      this.#ended(NEVER_DIALLED);
    }
  }

  #opened(connection: Connection): void {
    const socket = connection.socket as WebSocketLike & { protocol?: string; extensions?: string };
    this.#readyState = ReadyState.Open;
    this.#protocol = socket.protocol ?? '';
    this.#extensions = socket.extensions ?? '';
    this.#announcer.tell(new Event('open'));
    connection.makeReady(() => {
      for (const message of this.#queue.drain()) socket.send(message as never);
    });
  }

  #received(event: SocketEvent): void {
    if (this.#readyState !== ReadyState.Open) return; // closing: the standard drops it
    this.dispatchEvent(messageEvent(event.data, new URL(this.url).origin));
  }

  #ended(record: CloseRecord): void {
    if (this.#connection?.isStable(this.#options.stableFor)) this.#retry.backoff.reset();
    this.#connection = undefined;
    this.#lastClose = record;
    if (this.#readyState === ReadyState.Closing) return this.#finish(record);
    const goesOn = this.#retry.isWorth(record);
    this.#readyState = goesOn ? ReadyState.Connecting : ReadyState.Closed;
    if (record.wasOpen) this.#announcer.closed(record);
    if (!goesOn) return this.#giveUp(record);
    // Else a listener has closed, or dialled.
    if (this.#readyState === ReadyState.Connecting && !this.#connection) this.#wait(record);
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
    this.#options.signal?.removeEventListener('abort', this.#abort);
    const messages = this.#queue.drain();
    for (const message of messages) this.#queue.lose(message);
    this.#dropped('close', messages);
  }

  #dropped(reason: 'overflow' | 'close', messages: readonly SocketData[]): void {
    const count = messages.length;
    if (count > 0) this.#announcer.announce('drop', { messages, reason }, { count, reason });
  }
}
