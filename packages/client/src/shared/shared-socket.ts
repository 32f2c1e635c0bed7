import {
  CloseCode,
  ConnectionClosedError,
  type HeartbeatStatus,
  type Instant,
  InvalidOptionError,
  type Millis,
  onAbort,
  type PingOptions,
  ReadyState,
  type SocketData,
} from '@wirebeat/core';
import { copyOf } from '../outbox/messages.ts';
import type { Flushed } from '../outbox/outbox.ts';
import type { CloseRecord } from '../reconnect/close-record.ts';
import { domEventOf, type ReconnectEvent } from '../reconnect/events.ts';
import type { ReconnectingSocket } from '../snapshot-store.ts';
import { readClose } from '../websocket-api/close-arguments.ts';
import { messageEvent } from '../websocket-api/dom-events.ts';
import { WebSocketEventTarget } from '../websocket-api/event-target.ts';
import { joinOwner, type Owner, type SharedWorkerLike } from './owner.ts';
import { watchPageCache } from './page-cache.ts';
import {
  type FromTab,
  type Question,
  type SocketState,
  type ToTab,
  unpacked,
} from './port-messages.ts';
import type { OpenShared } from './serve-tabs.ts';

/** Before anything is known of the socket. */
const UNKNOWN: SocketState = {
  url: '',
  readyState: ReadyState.Connecting,
  protocol: '',
  extensions: '',
  bufferedAmount: 0,
  latency: undefined,
  status: 'idle',
  detectionBound: undefined,
  lastReceived: undefined,
};

/** The end of a connection whose owner has ended. */
const LOST: CloseRecord = {
  ...{ reason: 'abnormal', code: CloseCode.Abnormal, text: '' },
  ...{ wasClean: false, wasOpen: true },
};

interface Asked {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * This tab's part of a socket that all tabs share, which a `SharedWorker` owns. It has the API of
 * {@link ReconnectingWebSocket}, and decides nothing: it passes on what you call, and dispatches what
 * the owner reports. Where there is no `SharedWorker`, this page owns the socket.
 */
export class SharedSocket extends WebSocketEventTarget implements ReconnectingSocket {
  readonly #join: () => Promise<Owner>;
  #owner: Promise<Owner>;
  readonly #ignorePage: () => void;
  readonly #asked: Map<number, Asked> = new Map();
  #lastId = 0;
  #state: SocketState = UNKNOWN;
  #isClosing = false;
  #binaryType: 'blob' | 'arraybuffer' = 'blob';

  /**
   * Connects at once.
   *
   * @param openWorker Creates the worker, whose script calls {@link serveTabs}.
   * @param open Opens the socket if this page cannot use the worker.
   * @throws {InvalidOptionError} if one is not a function, or `openWorker` returns no `SharedWorker`.
   */
  constructor(openWorker: () => SharedWorkerLike, open: OpenShared) {
    super();
    for (const [name, given] of Object.entries({ openWorker, open })) {
      if (typeof given !== 'function') throw new InvalidOptionError(name, 'a function', given);
    }
    const listener = {
      message: (message: ToTab) => this.#take(message),
      gone: () => this.#rejoin(),
    };
    this.#join = () => joinOwner(openWorker, open, listener);
    this.#owner = this.#join();
    this.#ignorePage = watchPageCache(
      () => this.#leave(),
      () => this.#rejoin(),
    );
  }

  /** The address of the socket; empty until this is known. */
  get url(): string {
    return this.#state.url;
  }

  /** As in {@link ReconnectingWebSocket}. */
  get readyState(): 0 | 1 | 2 | 3 {
    const { readyState } = this.#state;
    return this.#isClosing && readyState < ReadyState.Closing ? ReadyState.Closing : readyState;
  }

  /** The subprotocol of the current connection, or of the last one. */
  get protocol(): string {
    return this.#state.protocol;
  }

  get extensions(): string {
    return this.#state.extensions;
  }

  /** The bytes queued for all tabs, at the last event. */
  get bufferedAmount(): number {
    return this.#state.bufferedAmount;
  }

  /** The type of binary messages received by this tab. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType;
  }

  set binaryType(type: string) {
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;
  }

  /**
   * Sends a message, or queues it until the next `open`. Never throws for a full queue: the `drop`
   * event of this tab returns the message.
   *
   * @throws {TypeError} if `data` is a symbol, or if its memory is shared or resizable.
   */
  send(data: SocketData): void;
  send(...args: [data?: SocketData]): void {
    if (args.length === 0) throw new TypeError('send() needs a message');
    this.#post('send', copyOf(args[0] as SocketData));
  }

  /**
   * Leaves the socket, with a `close` event for this tab. The last tab to leave closes the
   * connection, with this code and reason.
   *
   * @throws {DOMException} as `close()` of {@link ReconnectingWebSocket}.
   */
  close(code?: number, reason?: string): void {
    const end = readClose(code, reason);
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#post('close', ...end);
  }

  /** What is known about the peer; `idle` if the connection is not open. */
  get status(): HeartbeatStatus {
    return this.#state.status;
  }

  /** The last measured latency in ms; undefined before the first pong. It is that of the owner. */
  get latency(): Millis | undefined {
    return this.#state.latency;
  }

  /** When anything was last received, in ms on the clock of `performance.now()`. */
  get lastReceived(): Instant | undefined {
    const { lastReceived } = this.#state;
    return lastReceived && lastReceived - performance.timeOrigin;
  }

  /** As in {@link ReconnectingWebSocket}. */
  get detectionBound(): Millis | undefined {
    return this.#state.detectionBound;
  }

  /** Pings now; resolves to the latency in ms. Rejects as that of {@link ReconnectingWebSocket}. */
  async ping({ signal, ...options }: PingOptions = {}): Promise<Millis> {
    if (signal?.aborted) throw signal.reason;
    const { answer, id } = this.#ask<Millis>('ping', options);
    const ignore = signal && onAbort(signal, () => this.#asked.get(id)?.reject(signal.reason));
    return answer.finally(ignore);
  }

  /**
   * Resolves once the peer has read all messages that this tab has sent so far: see {@link
   * Delivery.flushed}. Rejects with `ERR_INVALID_OPTION` if the owner has no `delivery`.
   */
  async flushed(): Promise<Flushed> {
    return this.#ask<Flushed>('flushed').answer;
  }

  /** Pings now because the link may be dead. */
  probe(): void {
    this.#post('probe');
  }

  /** Ends the current connection, attempt or wait of all tabs, and connects again at once. */
  reconnect(): void {
    this.#post('reconnect');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #post(...message: FromTab): void {
    void this.#owner.then(({ port }) => port.postMessage(message));
  }

  #ask<Value>(...question: Question): { readonly id: number; readonly answer: Promise<Value> } {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise<Value>((resolve, reject) => {
      if (this.readyState >= ReadyState.Closing) throw new ConnectionClosedError();
      this.#asked.set(id, { resolve, reject });
      this.#post('ask', id, ...question);
    });
    return { id, answer };
  }

  #take(message: ToTab): void {
    switch (message[0]) {
      case 'state':
        this.#state = message[1];
        return;
      case 'event': {
        const [, state, ...event] = message;
        return this.#follow(state, event);
      }
      case 'message':
        return this.#receive(message[1], message[2]);
      case 'answer':
        this.#settled(message[1])?.resolve(message[2] as never);
        return;
      case 'refusal':
        this.#settled(message[1])?.reject(unpacked(message[2]));
    }
  }

  #follow(state: SocketState, event: ReconnectEvent): void {
    const hasEnded = state.readyState === ReadyState.Closed;
    if (this.#isClosing && !hasEnded) return; // the owner does not know yet
    this.#state = state;
    if (event[0] === 'dead') event[1] = { ...event[1], error: unpacked(event[1].error) as never };
    if (hasEnded) this.#end();
    this.dispatchEvent(domEventOf(...event));
  }

  #receive(data: unknown, origin: string): void {
    this.#state = { ...this.#state, lastReceived: performance.timeOrigin + performance.now() };
    const isBytes = typeof data !== 'string' && this.#binaryType === 'blob';
    const message = isBytes ? new Blob([data as ArrayBuffer]) : data;
    this.dispatchEvent(messageEvent(message, origin));
  }

  #settled(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  /** The owner has ended, or this page was out of its reach for a while: joins again. */
  #rejoin(): void {
    const { url } = this.#state;
    const readyState = this.#isClosing ? ReadyState.Closed : ReadyState.Connecting;
    this.#leave(); // releases the lock that the owner waited for
    if (!this.#isClosing) this.#owner = this.#join();
    this.#rejectAsked();
    this.#follow({ ...UNKNOWN, url, readyState }, ['close', LOST]);
  }

  /** Lets the owner forget this tab; events of the end still come. */
  #end(): void {
    this.#isClosing = true;
    this.#ignorePage();
    this.#rejectAsked();
    this.#leave();
  }

  #leave(): void {
    void this.#owner.then(({ leave }) => leave());
  }

  #rejectAsked(): void {
    for (const { reject } of this.#asked.values()) reject(new ConnectionClosedError());
    this.#asked.clear();
  }
}
