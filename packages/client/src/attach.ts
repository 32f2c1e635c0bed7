import {
  type Beat,
  CloseCode,
  ConnectionClosedError,
  type DialectConnection,
  encodeBeat,
  HeartbeatDriver,
  HeartbeatError,
  type HeartbeatEvent,
  type HeartbeatEvents,
  type HeartbeatPort,
  type HeartbeatStatus,
  type Instant,
  type Interceptor,
  InvalidOptionError,
  initialTiming,
  intercept,
  interceptCalls,
  type Millis,
  type PingOptions,
  type PingOrder,
  PongQueue,
  ReadyState,
  type RefusedHandshake,
  type SocketEvent,
  type WebSocketLike,
  type Wire,
} from '@wirebeat/core';
import { HandleEmitter } from './emitter.ts';
import { isForeign } from './foreign-protocols.ts';
import { type AttachOptions, resolveAttachOptions } from './options.ts';
import { type PageState, watchPageState } from './page/page-state.ts';
import { readRetryAfter } from './reconnect/retry-after.ts';
import { reconnectOf, terminate } from './reconnect/terminate.ts';
import { WATCHED } from './watched.ts';

/**
 * What answers pings. A `gateway` answers itself, and may hold messages not yet read by its
 * upstream.
 */
export type Reader = 'server' | 'gateway';

/** The longest wait after a hint until the peer is `suspect`. */
const HINT_TIMEOUT: Millis = 5_000;
/** Pongs wait only if more bytes are unsent: browsers report a message as sent a little late. */
const FREE_BYTES = 4_096;

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
 * @throws {InvalidOptionError} if an option is out of range or unknown, or if `socket` is not a
 * WebSocket or already has a heartbeat.
 */
export function attachHeartbeat(socket: WebSocketLike, options?: AttachOptions): SocketHeartbeat {
  return new SocketHeartbeat(socket, options);
}

/**
 * The heartbeat of one socket. Emits {@link HeartbeatEvents}. Returned by {@link attachHeartbeat}.
 */
export class SocketHeartbeat extends HandleEmitter<HeartbeatEvents> {
  readonly #socket: WebSocketLike;
  readonly #send: (data: never) => void;
  readonly #driver: HeartbeatDriver;
  readonly #presence: PageState;
  readonly #session: string | undefined;
  readonly #pongs: PongQueue<WebSocketLike>;
  readonly #release: (() => void)[] = [];
  readonly #interceptor: Interceptor = {
    receive: (beat) => {
      if (beat === undefined) this.#driver.receive();
      else this.#receiveBeat(beat);
      this.#presence.look();
    },
    receiveProtocolPing: () => this.#driver.receive(),
    receiveRefusal: (response) => this.#refused(response),
  };
  #isBound = false;
  #isMidMessage = false; // the application has sent a fragment of a message, but not the last one
  #heldPing: string | undefined; // a ping that waits for the end of the message
  #alone: string | false | undefined = false; // the id of the last ping, if nothing was sent since
  #closes = 0; // the number of calls of `close()`
  #isRefused = false;
  #foreign: string | undefined; // the subprotocol, if it has no place for pings
  readonly #connect: (protocol: string) => DialectConnection | undefined;
  #dialect: DialectConnection | undefined; // undefined: the heartbeat is our own
  #stuck = 0;
  #retryAfter: Millis | undefined;
  #httpStatus: number | undefined;
  #answersBy: Reader = 'server';

  /**
   * If `session` is given, the first ping sends it to the server.
   *
   * @throws {InvalidOptionError} in the same cases as {@link attachHeartbeat}.
   */
  constructor(socket: WebSocketLike, options: AttachOptions = {}, session?: string) {
    super();
    const { scheduler, memory, lifecycle, dialect, ...timing } = resolveAttachOptions(options);
    if (typeof socket?.addEventListener !== 'function' || typeof socket.send !== 'function') {
      throw new InvalidOptionError('socket', 'a WebSocket', socket);
    }
    if (WATCHED.has(socket)) {
      throw new InvalidOptionError('socket', 'a WebSocket that has no heartbeat yet', socket);
    }
    this.#socket = socket;
    this.#send = socket.send;
    this.#session = session;
    const bufferedBytes = () => this.#bufferedAmount;
    const port: HeartbeatPort = {
      sendPing: (ping) => this.#sendPing(ping),
      sendPong: (id) => this.#pongs.send(id),
      emit: (...event) => this.#emitEvent(...event),
      beforeTick: () => this.#presence.look(),
      get bufferedBytes() {
        return bufferedBytes();
      },
      get isPaused() {
        return (socket as { isPaused?: boolean }).isPaused === true; // sockets of `ws`
      },
    };
    this.#driver = new HeartbeatDriver(initialTiming(timing), scheduler, port, memory);
    this.#connect = (protocol) =>
      dialect?.connect({
        end: 'client',
        protocol,
        driver: this.#driver,
        maxSilence: timing.maxSilence,
        now: () => scheduler.now(),
        send: (message) => this.#sendText(message),
        emit: (...event) => this.#emitEvent(...event),
      });
    this.#pongs = new PongQueue(socket, {
      scheduler,
      maxBufferedBytes: Number.POSITIVE_INFINITY, // at most one pong is in the buffer
      freeBytes: FREE_BYTES,
      bufferedBytes,
      isMidMessage: () => this.#isMidMessage,
      send: (_, text) => {
        this.#alone = false;
        this.#sendText(text);
      },
    });
    const isClosed = socket.readyState === ReadyState.Closed; // it will never open again
    this.#presence = watchPageState(this.#driver, scheduler, !isClosed && lifecycle, () =>
      this.probe(),
    );
    if (isClosed) return;
    WATCHED.add(socket);
    this.#release.push(
      () => WATCHED.delete(socket),
      () => this.#pongs.close(),
      this.#presence.end,
    );
    this.#watchSocket();
    if (socket.readyState === ReadyState.Open) this.#open();
  }

  /** What is known about the peer. `idle` before the socket is open and after it has closed. */
  get status(): HeartbeatStatus {
    return this.#driver.heartbeat.status;
  }

  /** The last measured latency in ms; undefined before the first pong. */
  get latency(): Millis | undefined {
    return this.#driver.heartbeat.latency;
  }

  /** When anything was last sent, in ms on the clock of the scheduler. */
  get lastSent(): Instant {
    return this.#driver.heartbeat.lastSent;
  }

  /** When anything was last received, in ms on the clock of the scheduler. */
  get lastReceived(): Instant {
    return this.#driver.heartbeat.lastReceived;
  }

  /**
   * The longest time, in ms, from the last byte received to `dead`, while the page runs. `Infinity`
   * if pings or their timeout are off.
   */
  get detectionBound(): Millis {
    return this.#driver.heartbeat.detectionBound;
  }

  /**
   * Whether the peer apparently closed because of the first ping: it sent a Close frame within 5 s
   * of the ping, without a ping or pong before it, and has never answered.
   */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Whether the server has confirmed the session. */
  get isBound(): boolean {
    return this.#isBound;
  }

  /** What answers the pings, and so has read the messages sent before them. */
  get answersBy(): Reader {
    return this.#answersBy;
  }

  /** The HTTP status of a refused handshake; undefined if the runtime does not report it. */
  get httpStatus(): number | undefined {
    return this.#httpStatus;
  }

  /**
   * How long to wait before the next connection, in ms, as the server asked in a ping or in an HTTP
   * response with status 429 or 503; undefined if it did not ask.
   */
  get retryAfter(): Millis | undefined {
    return this.#retryAfter;
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
    const foreign = this.#dialect?.asks === false ? this.#dialect.name : this.#foreign;
    if (foreign === undefined || !this.#driver.heartbeat.isMuted) {
      return this.#driver.ping(options);
    }
    const words = `The protocol ${foreign} has no place for pings`;
    return Promise.reject(new HeartbeatError('HeartbeatError', 'ERR_FOREIGN_PROTOCOL', words));
  }

  /**
   * Pings now because the link may be dead. If no answer comes within 5 s, the peer is `suspect`.
   */
  probe(): void {
    this.#driver.probe(Math.min(HINT_TIMEOUT, this.#driver.heartbeat.pingTimeout));
  }

  /**
   * Stops the heartbeat and removes all listeners. The socket stays open and is as it was before.
   */
  detach(): void {
    this.#releaseAll();
    this.#driver.close(new ConnectionClosedError(undefined, 'the heartbeat was detached'));
    this.removeAllListeners();
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  #watchSocket(): void {
    const socket = this.#socket;
    const onOpen = () => this.#open();
    const onClose = (event: SocketEvent) => {
      this.#settle();
      const { code = CloseCode.Abnormal, reason } = event;
      // `ws` (which has `emit`) calls `close()` itself when it receives a Close frame.
      const byPeer = code !== CloseCode.Abnormal && this.#closes <= ('emit' in socket ? 1 : 0);
      this.#isRefused = this.#driver.close(new ConnectionClosedError(event.code, reason), byPeer);
    };
    socket.addEventListener('open', onOpen);
    socket.addEventListener('close', onClose);
    this.#release.push(
      () => socket.removeEventListener('open', onOpen),
      () => socket.removeEventListener('close', onClose),
      interceptCalls(
        socket,
        'send',
        (data) => {
          this.#presence.look();
          this.#driver.sent();
          this.#alone = false;
          this.#pongs.sentBehind(leastBytes(data));
          this.#dialect?.sending(data);
        },
        (isWhole) => {
          this.#sentPart(isWhole);
          this.#dialect?.sent();
        },
      ),
      interceptCalls(socket, 'close', () => {
        this.#closes += 1;
      }),
      () => {
        this.#interceptor.reader = undefined;
      },
      intercept(socket, this.#interceptor),
    );
  }

  /** Reads a refused handshake: RFC 9110 §10.2.3 and RFC 6585 §4. */
  #refused({ statusCode, headers }: RefusedHandshake): void {
    this.#httpStatus = statusCode;
    if (statusCode === 429 || statusCode === 503) this.#retryAfter = readRetryAfter(headers);
  }

  #receiveBeat(beat: Beat): void {
    const { type, values = {} } = beat;
    if (values['by'] === 'gateway') this.#answersBy = 'gateway';
    this.#isBound ||= values['session'] === 'ok';
    if (type === 'ping') this.#retryAfter = readMillis(values['retryAfter']) ?? this.#retryAfter;
    this.#driver.receiveBeat(beat);
    this.#adopt(values);
  }

  /**
   * Sends the first ping at once: it carries the protocol version, and measures a first latency.
   */
  #open(): void {
    const { protocol = '' } = this.#socket as { protocol?: string };
    this.#isMidMessage = false;
    this.#heldPing = undefined;
    this.#closes = 0; // a socket that reconnects has a new connection
    const dialect = this.#connect(protocol);
    this.#dialect = dialect;
    this.#interceptor.reader = dialect;
    if (dialect) return dialect.open();
    this.#foreign = isForeign(protocol) ? protocol : undefined;
    this.#driver.open(this.#foreign === undefined);
    const { pingInterval, pingTimeout } = this.#driver.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#driver.probe(pingTimeout);
  }

  #emitEvent(...[name, event]: HeartbeatEvent): void {
    // Firefox 153 subtracts the size of its own protocol Pongs from `bufferedAmount`, and then
    // never subtracts some bytes that it has sent. If the last message was a ping and it was
    // answered, the real amount is 0, so what remains is that error.
    if (name === 'pong' && event.id === this.#alone) this.#stuck += this.#bufferedAmount;
    if (name === 'unanswered' && this.#dialect) return; // the dialect says when to ping
    if (name === 'dead') this.#settle();
    this.emit(name, event);
    if (name === 'pong' && event.id && !this.#dialect) this.#presence.understood();
    if (name === 'dead') terminate(this.#socket);
  }

  /** Applies the timing that the server advertises. The server can change it at any time. */
  #adopt({ pingInterval, pingTimeout }: Readonly<Record<string, string>>): void {
    if (pingInterval === undefined && pingTimeout === undefined) return;
    const advertised = {
      pingInterval: readMillis(pingInterval),
      pingTimeout: readMillis(pingTimeout),
    };
    this.#driver.heartbeat.adopt(advertised);
    this.#driver.rearm();
  }

  /** The bytes that the socket has not sent yet; 0 if the runtime does not report them. */
  get #bufferedAmount(): number {
    const { bufferedAmount = 0 } = this.#socket as { bufferedAmount?: number };
    return bufferedAmount - this.#stuck;
  }

  #sendPing(ping: PingOrder): void {
    if (this.#dialect) return this.#sendText(this.#dialect.ping(ping.id));
    this.#alone = ping.id;
    const session = this.#session;
    const values = {
      ...(ping.first && { v: '1', ...(session && { session }) }),
      ...this.#presence.valuesOf(ping.first),
    };
    const text = encodeBeat({ type: 'ping', id: ping.id, values });
    if (!this.#isMidMessage) return this.#sendText(text);
    this.#heldPing ??= text; // keeps the earliest, which may be the first ping of the connection
    this.#driver.suspend(); // the peer cannot answer it yet
  }

  /** Holds pings and pongs until a fragmented message ends, or they would become part of it. */
  #sentPart(isWhole: boolean): void {
    this.#isMidMessage = !isWhole;
    if (!isWhole) return;
    const ping = this.#heldPing;
    this.#heldPing = undefined;
    this.#pongs.flush();
    if (ping === undefined) return;
    this.#sendText(ping);
    this.#driver.resume();
  }

  #sendText(text: Wire | undefined): void {
    if (text === undefined || this.#socket.readyState !== ReadyState.Open) return; // its `close` event will follow
    try {
      this.#send.call(this.#socket, text as never);
    } catch {
      // A ping that was not sent is not answered either, so the timeout handles this.
    }
  }

  /** Detaches after the end of the connection, unless the socket reconnects by itself. */
  #settle(): void {
    if (reconnectOf(this.#socket) === undefined) this.#releaseAll();
  }

  #releaseAll(): void {
    for (const release of this.#release.splice(0)) release();
  }
}

/** Returns a lower bound of the size of a message in bytes: a character takes at least one byte. */
function leastBytes(data: unknown): number {
  const { byteLength, size, length } = Object(data) as Record<string, number | undefined>;
  return byteLength ?? size ?? length ?? 0;
}

/** Reads a duration in ms; undefined unless the text consists of digits. */
function readMillis(text: string | undefined): Millis | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
