import {
  ConnectionClosedError,
  type Heartbeat,
  type HeartbeatStatus,
  type Instant,
  InvalidOptionError,
  type Millis,
  onAbort,
  type PingOptions,
  ReadyState,
  type SocketData,
  type WebSocketLike,
} from '@wirebeat/core';
import { ID_PREFIX, sendable } from '../outbox/messages.ts';
import { WATCHED } from '../watched.ts';
import { readClose } from '../websocket-api/close-arguments.ts';
import { messageEvent } from '../websocket-api/dom-events.ts';
import { WebSocketEventTarget } from '../websocket-api/event-target.ts';
import { Connections } from './connections.ts';
import { Dialer, type ProtocolsSource, type UrlSource } from './dialer.ts';
import { domEventOf, type ReconnectEvent, reportUnhandled } from './events.ts';
import {
  type ReconnectOptions,
  type ResolvedReconnectOptions,
  resolveReconnectOptions,
} from './options.ts';

/**
 * A WebSocket that detects a dead link and reconnects.
 *
 * A replacement for `WebSocket` with the same events, properties and constants. When a connection
 * ends, `close` is dispatched, and `readyState` is CONNECTING until the next `open`. Messages sent
 * in between are queued. A dead connection is terminated at once, without a closing handshake.
 */
export class ReconnectingWebSocket extends WebSocketEventTarget {
  readonly #options: ResolvedReconnectOptions;
  readonly #dialer: Dialer;
  readonly #connections: Connections;
  readonly #ignoreSignal: (() => void) | undefined;
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
    this.#connections = new Connections(this.#options, this.#dialer, {
      emit: (...event) => this.#emit(...event),
      receive: (data) => void this.dispatchEvent(messageEvent(data, this.#dialer.origin)),
    });
    const { signal } = this.#options;
    this.#ignoreSignal = signal && onAbort(signal, () => this.close());
  }

  // The API of WebSocket.

  /** The address to connect to; empty until a function has returned one. */
  get url(): string {
    return this.#dialer.url;
  }

  /** As in `WebSocket`. It is CONNECTING during the wait for the next attempt too. */
  get readyState(): 0 | 1 | 2 | 3 {
    return this.#connections.readyState;
  }

  /** The subprotocol of the current connection, or of the last one. */
  get protocol(): string {
    return this.#connections.lastSocket.protocol ?? '';
  }

  get extensions(): string {
    return this.#connections.lastSocket.extensions ?? '';
  }

  /** The bytes queued here and in the socket. */
  get bufferedAmount(): number {
    return this.#connections.bufferedAmount;
  }

  /**
   * The type of received binary messages. Typed as in the standard; `ws` also has `nodebuffer`,
   * which is its default.
   */
  get binaryType(): 'blob' | 'arraybuffer' {
    const socket = this.#socket as { binaryType?: string } | undefined;
    return (this.#binaryType ?? socket?.binaryType ?? 'blob') as 'blob' | 'arraybuffer';
  }

  set binaryType(type: string) {
    if (type !== 'blob' && type !== 'arraybuffer') return; // the standard ignores other values
    this.#binaryType = type;
    if (this.#socket) Reflect.set(this.#socket, 'binaryType', type);
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
    this.#connections.send(sendable(args[0]));
  }

  /**
   * Closes the connection and does not reconnect. `close` is dispatched after the closing
   * handshake, or after 1 s.
   *
   * @throws {DOMException} `InvalidAccessError` if `code` is neither 1000 nor in [3000, 4999],
   * `SyntaxError` if `reason` is longer than 123 bytes of UTF-8.
   */
  close(code?: number, reason?: string): void {
    this.#connections.close(...readClose(code, reason));
  }

  // The API of the heartbeat.

  /** What is known about the peer; `idle` if the connection is not open. */
  get status(): HeartbeatStatus {
    return this.#heartbeat?.status ?? 'idle';
  }

  /** The last measured latency of this connection in ms; undefined before the first pong. */
  get latency(): Millis | undefined {
    return this.#heartbeat?.latency;
  }

  /**
   * When anything was last received on this connection, in ms on the clock of the scheduler;
   * undefined without a connection.
   */
  get lastReceived(): Instant | undefined {
    return this.#heartbeat?.lastReceived;
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, while the page runs; undefined
   * without a connection. `Infinity` if pings or their timeout are off.
   */
  get detectionBound(): Millis | undefined {
    return this.#heartbeat?.detectionBound;
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
      throw new InvalidOptionError('id', `an id that does not start with \`${ID_PREFIX}\``, id);
    }
    const { current } = this.#connections;
    if (!current?.link) throw new ConnectionClosedError();
    return current.link.ping(options);
  }

  /**
   * Pings now because the link may be dead. If no answer comes within 5 s, the peer is `suspect`.
   */
  probe(): void {
    this.#connections.current?.link?.probe();
  }

  /**
   * Ends the current connection, attempt or wait, and connects again at once. Resets the backoff.
   * Does nothing after `close()` or `giveup`.
   */
  reconnect(): void {
    this.#connections.reconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #heartbeat(): Heartbeat | undefined {
    return this.#connections.current?.heartbeat;
  }

  get #socket(): WebSocketLike | undefined {
    return this.#connections.current?.socket;
  }

  #create(url: string, protocols?: string[]): WebSocketLike {
    const socket = this.#options.createWebSocket(url, protocols);
    if (this.#binaryType !== undefined) Reflect.set(socket, 'binaryType', this.#binaryType);
    return socket;
  }

  /** Dispatches an event. All events except messages are dispatched here. */
  #emit(...event: ReconnectEvent): void {
    if (this.readyState === ReadyState.Closed) this.#ignoreSignal?.();
    try {
      this.#options.observe?.(...event);
    } catch (error) {
      reportUnhandled(error); // an error in the observer must not stop the event
    }
    this.dispatchEvent(domEventOf(...event));
  }
}
