import {
  CloseCode,
  callsItself,
  type HeartbeatEvent,
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Instant,
  InvalidOptionError,
  intercept,
  interceptCalls,
  type ListenerGate,
  type Millis,
  type PingOptions,
  ReadyState,
  type SocketEvent,
  type WebSocketLike,
} from '@wirebeat/core';
import { IS_PAGE } from './development.ts';
import { HandleEmitter } from './emitter.ts';
import { type AnsweredBy, Link } from './link.ts';
import { type AttachOptions, resolveAttachOptions } from './options.ts';
import { watchProtocolPings } from './socket/protocol-pings.ts';
import { reconnectOf, terminate } from './socket/terminate.ts';
import { WATCHED } from './watched.ts';

/**
 * Adds a heartbeat to `socket`: pings the peer, measures the latency, and detects a dead link.
 *
 * Attach it right after creating the socket, as in `attachHeartbeat(new WebSocket(url))`: pings and
 * pongs then stay hidden from `onmessage` and from listeners added later. The peer should answer
 * pings, as `@wirebeat/server` does; any other server needs about five lines: see
 * `docs/protocol.md`. If the peer never answers, `unanswered` is emitted, no more pings are sent,
 * and only `maxSilence` can end the connection. If the subprotocol has no place for pings, such as
 * `graphql-transport-ws` or `mqtt`, this applies from the start.
 *
 * After `dead`, the socket is terminated if its class supports that; otherwise it is closed with
 * code 3008. On a dead link, its `close` event may come a minute later or never, so act on `dead`.
 * If the socket has a `reconnect` method, as in partysocket, the method is called instead, and the
 * heartbeat continues on the next connection.
 *
 * Some classes that imitate WebSocket call their listeners themselves, such as partysocket. For those,
 * pass `gateListeners` as {@link AttachOptions.gate}.
 *
 * @throws {InvalidOptionError} if an option is out of range or unknown, or if `socket` is not a
 * WebSocket, already has a heartbeat, or needs a `gate`.
 */
export function attachHeartbeat(socket: WebSocketLike, options?: AttachOptions): SocketHeartbeat {
  return new SocketHeartbeat(socket, options);
}

/**
 * The heartbeat of one socket. Emits {@link HeartbeatEvents}. Returned by {@link attachHeartbeat}.
 */
export class SocketHeartbeat extends HandleEmitter<HeartbeatEvents> {
  readonly #socket: WebSocketLike;
  readonly #link: Link;
  readonly #release: (() => void)[] = [];
  #closes = 0; // the number of calls of `close()`
  #isRefused = false;

  /** @throws {InvalidOptionError} in the same cases as {@link attachHeartbeat}. */
  constructor(socket: WebSocketLike, options: AttachOptions = {}) {
    super();
    const resolved = resolveAttachOptions(options);
    if (typeof socket?.addEventListener !== 'function' || typeof socket.send !== 'function') {
      throw new InvalidOptionError('socket', 'a WebSocket', socket);
    }
    if (WATCHED.has(socket)) {
      throw new InvalidOptionError('socket', 'a WebSocket that has no heartbeat yet', socket);
    }
    if (!IS_PAGE && !resolved.gate && callsItself(socket) && !isOfRuntime(socket)) {
      throw new InvalidOptionError(
        'gate',
        '`gateListeners`, because this class calls its listeners itself',
        undefined,
      );
    }
    this.#socket = socket;
    this.#link = new Link(socket, resolved, (...event) => this.#receive(...event));
    if (socket.readyState === ReadyState.Closed) {
      this.#link.release(); // it will never open again
      return;
    }
    WATCHED.add(socket);
    this.#watchSocket(resolved.gate);
    if (socket.readyState === ReadyState.Open) this.#open();
  }

  /** What is known about the peer. `idle` before the socket is open and after it has closed. */
  get status(): HeartbeatStatus {
    return this.#link.driver.heartbeat.status;
  }

  /** The last measured latency in ms; undefined before the first pong. */
  get latency(): Millis | undefined {
    return this.#link.driver.heartbeat.latency;
  }

  /** When anything was last sent, in ms on the clock of the scheduler. */
  get lastSent(): Instant {
    return this.#link.driver.heartbeat.lastSent;
  }

  /** When anything was last received, in ms on the clock of the scheduler. */
  get lastReceived(): Instant {
    return this.#link.driver.heartbeat.lastReceived;
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, while the page runs. `Infinity`
   * if pings or their timeout are off.
   */
  get detectionBound(): Millis {
    return this.#link.driver.heartbeat.detectionBound;
  }

  /**
   * Whether the peer apparently closed because of the first ping: it sent a Close frame within 5 s
   * of the ping, without a ping or pong before it, and has never answered.
   */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /**
   * What answers the pings. Its pong to a ping with an id proves that it has read the messages sent
   * before that ping.
   */
  get answersBy(): AnsweredBy {
    return this.#link.answersBy;
  }

  /**
   * How long to wait before the next connection, in ms, as the server asked in a ping; undefined if
   * it did not ask.
   */
  get retryAfter(): Millis | undefined {
    return this.#link.retryAfter;
  }

  /**
   * Pings now; resolves to the latency in ms.
   *
   * Rejects with {@link PingTimeoutError} after `timeout`, with {@link ConnectionClosedError} if
   * the socket is not open or closes, with code `ERR_FOREIGN_PROTOCOL` if the subprotocol has no
   * place for pings, with the reason of the signal if it is aborted, and with {@link
   * InvalidOptionError} if `timeout` or `id` is invalid.
   */
  ping(options?: PingOptions): Promise<Millis> {
    return this.#link.ping(options);
  }

  /**
   * Pings now because the link may be dead. If no answer comes within 5 s, the peer is `suspect`.
   */
  probe(): void {
    this.#link.probe();
  }

  /**
   * Stops the heartbeat and removes all listeners. The socket stays open and is as it was before.
   */
  detach(): void {
    this.#releaseAll();
    this.#link.close(undefined, 'the heartbeat was detached');
    this.removeAllListeners();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  #watchSocket(gate: ListenerGate | undefined): void {
    const socket = this.#socket;
    const link = this.#link;
    const onOpen = () => this.#open();
    const onClose = ({ code, reason }: SocketEvent) => {
      this.#settle();
      // `ws` (which has `emit`) calls `close()` itself when it receives a Close frame.
      const isAsked = this.#closes > ('emit' in socket ? 1 : 0);
      const byPeer = (code ?? CloseCode.Abnormal) !== CloseCode.Abnormal && !isAsked;
      this.#isRefused = link.close(code, reason, byPeer);
    };
    socket.addEventListener('open', onOpen);
    socket.addEventListener('close', onClose);
    const sent = (isWhole: boolean) => link.sent(isWhole);
    this.#release.push(
      () => {
        WATCHED.delete(socket);
        link.release();
        socket.removeEventListener('open', onOpen);
        socket.removeEventListener('close', onClose);
        link.dialect = undefined;
      },
      interceptCalls(socket, 'send', (data) => link.sending(data), sent),
      interceptCalls(socket, 'close', () => {
        this.#closes += 1;
      }),
      intercept(socket, link, gate),
    );
    const received = () => link.driver.receive();
    watchProtocolPings(socket, received, (end) => this.#release.push(end));
  }

  #open(): void {
    this.#closes = 0; // a socket that reconnects has a new connection
    this.#link.open((this.#socket as { protocol?: string }).protocol);
  }

  #receive(...[name, event]: HeartbeatEvent): void {
    if (name === 'dead') this.#settle();
    this.emit(name, event);
    if (name === 'dead') terminate(this.#socket);
  }

  /** Detaches after the end of the connection, unless the socket reconnects by itself. */
  #settle(): void {
    if (reconnectOf(this.#socket) === undefined) this.#releaseAll();
  }

  #releaseAll(): void {
    for (const release of this.#release.splice(0)) release();
  }
}

/** Whether the runtime made the class: workerd calls the handler before all listeners, and is no page. */
function isOfRuntime(socket: WebSocketLike): boolean {
  const { WebSocket } = globalThis as { WebSocket?: unknown };
  return typeof WebSocket === 'function' && socket instanceof WebSocket;
}
