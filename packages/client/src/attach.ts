import {
  type Beat,
  CloseCode,
  ConnectionClosedError,
  checkNames,
  encodeBeat,
  HEARTBEAT_OPTION_NAMES,
  HeartbeatDriver,
  HeartbeatError,
  type HeartbeatEvents,
  type HeartbeatOptions,
  type HeartbeatPort,
  type HeartbeatStatus,
  type Instant,
  InvalidOptionError,
  intercept,
  interceptCalls,
  type Millis,
  PeerMemory,
  type PingOptions,
  type PingOrder,
  PongQueue,
  ReadyState,
  type RefusedHandshake,
  type Scheduler,
  type SocketEvent,
  SystemScheduler,
  type WebSocketLike,
} from '@wirebeat/core';
import { HandleEmitter } from './emitter.ts';
import { isForeign } from './foreign-protocols.ts';
import { type Lifecycle, pageLifecycle } from './page/page-lifecycle.ts';
import { type PageState, watchPageState } from './page/page-state.ts';
import { readRetryAfter } from './reconnect/retry-after.ts';
import { reconnectOf, terminate } from './reconnect/terminate.ts';

/** Options of {@link attachHeartbeat}. */
export interface AttachOptions extends HeartbeatOptions {
  /** Part of `pingInterval` that chance takes away, in [0, 0.999]. @default 0.1 */
  readonly jitter?: number;
  /** @default 1_000, and `false` if `pingInterval` is */
  readonly probeAfter?: Millis | false;
  /** @default 400 */
  readonly suspectAfter?: Millis;
  /** @default Math.random */
  readonly random?: () => number;
  /** Clock and timers. @default those of the runtime */
  readonly scheduler?: Scheduler;
  /**
   * What is remembered of the peer. Give the same to every connection to one address, and the next
   * one knows whether that peer speaks. @default nothing is known
   */
  readonly memory?: PeerMemory;
  /**
   * What tells when the page is hidden or frozen and when the network changes. `false`: nothing
   * does, and sleep is not noticed by the clocks either. @default the page's own
   */
  readonly lifecycle?: Lifecycle | false;
}

/** `gateway`: one that answers by itself, and may have messages that its upstream has not read yet. */
export type Reader = 'server' | 'gateway';

/** The longest wait for the answer to a hint's ping until the peer is `suspect`. */
const HINT_TIMEOUT: Millis = 5_000;
/** The default of `probeAfter`: sending a message a second costs a ping a second, no more. */
const PROBE_AFTER: Millis = 1_000;
/** The default of `suspectAfter`: over ten times a usual latency. What comes of it costs little. */
const SUSPECT_AFTER: Millis = 400;
/** The default of `jitter`: pages opened together drift apart within minutes. */
const JITTER = 0.1;
/** A pong waits only behind more bytes than this: a browser reports a message as sent a little late. */
const FREE_BYTES = 4_096;

/** Sockets that have a heartbeat. A second one would hide every pong from the first. */
export const WATCHED: WeakSet<object> = /* @__PURE__ */ new WeakSet();

/** The timing of a client's heartbeat, with the defaults of {@link AttachOptions}. */
export function clientTiming<Options extends AttachOptions>(
  options: Options,
): Options & Required<Pick<AttachOptions, 'jitter' | 'random' | 'probeAfter' | 'suspectAfter'>> {
  const { jitter = JITTER, random = Math.random, suspectAfter = SUSPECT_AFTER } = options;
  const { probeAfter = options.pingInterval !== false && PROBE_AFTER } = options;
  return { ...options, jitter, random, probeAfter, suspectAfter };
}

/**
 * Watches over `socket`: pings the peer, measures the latency, and says when the link is dead.
 *
 * Attach first thing, as in `attachHeartbeat(new WebSocket(url))`: beats stay hidden from
 * `onmessage` and from listeners added later. The peer should answer, as `@wirebeat/server` does or
 * any server with five lines of its own: see `docs/protocol.md`. If it never answers, `unanswered` is
 * emitted, no more pings are sent, and `maxSilence` alone limits its silence. Where the subprotocol is
 * known to have no place for pings, as `graphql-transport-ws` or `mqtt`, that is so from the start.
 *
 * At `dead` the socket is terminated if its class can do that, or closed with 3008. Its `close`
 * event may come a minute late on a dead link, or never: act on `dead`. A socket that has a method
 * `reconnect`, as that of partysocket, is told to, and watched on.
 *
 * @throws {InvalidOptionError} if an option is out of its range or unknown, or if `socket` is not a
 * WebSocket or has a heartbeat already.
 */
export function attachHeartbeat(socket: WebSocketLike, options?: AttachOptions): SocketHeartbeat {
  return new SocketHeartbeat(socket, options);
}

/** What {@link attachHeartbeat} returns: an emitter of {@link HeartbeatEvents}. */
export class SocketHeartbeat extends HandleEmitter<HeartbeatEvents> {
  readonly #socket: WebSocketLike;
  readonly #send: (data: never) => void;
  readonly #pacemaker: HeartbeatDriver;
  readonly #presence: PageState;
  readonly #session: string | undefined;
  readonly #pongs: PongQueue<WebSocketLike>;
  readonly #release: (() => void)[] = [];
  #isBound = false;
  #isMidMessage = false; // the application has sent a part of a message, and not the last
  #heldPing: string | undefined; // until the message has ended
  #alone: string | false | undefined = false; // the id of the last ping, if nothing was sent since
  #closes = 0; // calls of `close()`
  #isRefused = false;
  #foreign: string | undefined; // the subprotocol, if it has no place for pings
  #stuck = 0;
  #retryAfter: Millis | undefined;
  #httpStatus: number | undefined;
  #answersBy: Reader = 'server';

  /**
   * A `session` is told to the server in the first ping.
   *
   * @throws {InvalidOptionError} as {@link attachHeartbeat} does.
   */
  constructor(socket: WebSocketLike, options: AttachOptions = {}, session?: string) {
    super();
    checkNames('options', options, [...HEARTBEAT_OPTION_NAMES, 'scheduler', 'memory', 'lifecycle']);
    if (typeof socket?.addEventListener !== 'function' || typeof socket.send !== 'function') {
      throw new InvalidOptionError('socket', 'a WebSocket', socket);
    }
    if (WATCHED.has(socket)) {
      throw new InvalidOptionError('socket', 'a WebSocket that has no heartbeat yet', socket);
    }
    const {
      scheduler = new SystemScheduler(),
      memory = new PeerMemory(),
      lifecycle = pageLifecycle,
      ...timing
    } = clientTiming(options);
    if (lifecycle !== false && typeof lifecycle?.watch !== 'function') {
      throw new InvalidOptionError('lifecycle', 'a Lifecycle or false', lifecycle);
    }
    this.#socket = socket;
    this.#send = socket.send;
    this.#session = session;
    const shell: HeartbeatPort = {
      sendPing: (ping) => this.#sendPing(ping),
      sendPong: (id) => this.#pongs.send(id),
      emit: (name, event) => this.#tell(name, event),
      buffered: () => {
        this.#presence.look(); // each timer asks
        return this.#bufferedAmount;
      },
      isPaused: () => (socket as { isPaused?: boolean }).isPaused === true, // of `ws`
    };
    this.#pacemaker = new HeartbeatDriver(timing, scheduler, shell, memory);
    this.#pongs = new PongQueue(socket, {
      scheduler,
      maxBufferedBytes: Number.POSITIVE_INFINITY, // there is never more than one of ours
      freeBytes: FREE_BYTES,
      bufferedBytes: () => this.#bufferedAmount,
      isMidMessage: () => this.#isMidMessage,
      send: (_, text) => {
        this.#alone = false;
        this.#sendText(text);
      },
    });
    const isClosed = socket.readyState === ReadyState.Closed; // there is nothing to watch, nor will be
    this.#presence = watchPageState(this.#pacemaker, scheduler, !isClosed && lifecycle, () =>
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

  /** `idle` before the socket is open and after it has closed. */
  get status(): HeartbeatStatus {
    return this.#pacemaker.heartbeat.status;
  }

  /** The last latency measured; undefined until the first. */
  get latency(): Millis | undefined {
    return this.#pacemaker.heartbeat.latency;
  }

  /** When anything was last sent, by the scheduler's clock. */
  get lastSent(): Instant {
    return this.#pacemaker.heartbeat.lastSent;
  }

  /** When anything was last received, by the scheduler's clock. */
  get lastReceived(): Instant {
    return this.#pacemaker.heartbeat.lastReceived;
  }

  /** The worst time from the last byte received to `dead`, while the page runs. */
  get detectionBound(): Millis {
    return this.#pacemaker.heartbeat.detectionBound;
  }

  /**
   * Whether the peer closed because of our first ping, as far as can be told: it sent a Close frame
   * within 5 s, no ping or pong before it, and has never answered.
   */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Whether the server knows the session. */
  get isBound(): boolean {
    return this.#isBound;
  }

  /** Who answers, and so has read what was sent before the ping. */
  get answersBy(): Reader {
    return this.#answersBy;
  }

  /** The HTTP status with which the server refused the handshake, where the runtime tells. */
  get httpStatus(): number | undefined {
    return this.#httpStatus;
  }

  /**
   * How long the server asks to wait before the next connection, in a beat or with the HTTP status 429
   * or 503; undefined until it does.
   */
  get retryAfter(): Millis | undefined {
    return this.#retryAfter;
  }

  /**
   * Pings now; resolves to the latency. Rejects with {@link PingTimeoutError} after `timeout`, with
   * {@link ConnectionClosedError} if the socket is not open or closes, with
   * `ERR_FOREIGN_PROTOCOL` if its subprotocol has no place for pings, with the signal's reason if
   * that is aborted, and with {@link InvalidOptionError} if `timeout` or `id` is not allowed.
   */
  ping(options?: PingOptions): Promise<Millis> {
    const foreign = this.#foreign;
    if (foreign === undefined || !this.#pacemaker.heartbeat.isMuted) {
      return this.#pacemaker.ping(options);
    }
    const words = `The protocol ${foreign} has no place for pings`;
    return Promise.reject(new HeartbeatError('HeartbeatError', 'ERR_FOREIGN_PROTOCOL', words));
  }

  /** Asks now because something hints that the link may be dead. Ends in `alive` or `suspect`. */
  probe(): void {
    this.#pacemaker.probe(Math.min(HINT_TIMEOUT, this.#pacemaker.heartbeat.pingTimeout));
  }

  /** Ends the watch and leaves no trace on the socket, which stays open. */
  detach(): void {
    this.#releaseAll();
    this.#pacemaker.close(new ConnectionClosedError(undefined, 'the heartbeat was detached'));
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
      // `ws`, an emitter, calls `close()` by itself when the peer's Close frame comes.
      const byPeer = code !== CloseCode.Abnormal && this.#closes <= ('emit' in socket ? 1 : 0);
      this.#isRefused = this.#pacemaker.close(
        new ConnectionClosedError(event.code, reason),
        byPeer,
      );
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
          this.#pacemaker.sent();
          this.#alone = false;
          this.#pongs.sentBehind(leastBytes(data));
        },
        (isWhole) => this.#sentPart(isWhole),
      ),
      interceptCalls(socket, 'close', () => {
        this.#closes += 1;
      }),
      intercept(socket, {
        receive: (beat) => {
          if (beat === undefined) this.#pacemaker.receive();
          else this.#receiveBeat(beat);
          this.#presence.look();
        },
        receiveProtocolPing: () => this.#pacemaker.receive(),
        receiveRefusal: (response) => this.#refused(response),
      }),
    );
  }

  /** RFC 9110 §10.2.3 and RFC 6585 §4. */
  #refused({ statusCode, headers }: RefusedHandshake): void {
    this.#httpStatus = statusCode;
    if (statusCode === 429 || statusCode === 503) this.#retryAfter = readRetryAfter(headers);
  }

  #receiveBeat(beat: Beat): void {
    const { type, values = {} } = beat;
    if (values['by'] === 'gateway') this.#answersBy = 'gateway';
    this.#isBound ||= values['session'] === 'ok';
    if (type === 'ping') this.#retryAfter = readMillis(values['retryAfter']) ?? this.#retryAfter;
    this.#pacemaker.receiveBeat(beat);
    this.#adopt(values);
  }

  /** The first ping goes out at once: it says what protocol this is, and gives a latency. */
  #open(): void {
    const { protocol = '' } = this.#socket as { protocol?: string };
    this.#isMidMessage = false;
    this.#heldPing = undefined;
    this.#closes = 0; // a socket that comes back is another connection
    this.#foreign = isForeign(protocol) ? protocol : undefined;
    this.#pacemaker.open(this.#foreign === undefined);
    const { pingInterval, pingTimeout } = this.#pacemaker.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#pacemaker.probe(pingTimeout);
  }

  #tell<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    // Firefox 153 takes the size of its own protocol Pong off `bufferedAmount`, and then leaves there
    // what it would have to take off after it: for ever. Once its ping is answered, nothing is left.
    if (name === 'pong' && (event as HeartbeatEvents['pong']).id === this.#alone) {
      this.#stuck += this.#bufferedAmount;
    }
    if (name !== 'dead') {
      this.emit(name, event);
      if (name === 'pong' && (event as HeartbeatEvents['pong']).id) this.#presence.understood();
      return;
    }
    this.#settle();
    this.emit(name, event);
    terminate(this.#socket);
  }

  /** The server may tune its whole fleet, at any time. */
  #adopt({ pingInterval, pingTimeout }: Readonly<Record<string, string>>): void {
    if (pingInterval === undefined && pingTimeout === undefined) return;
    const advertised = {
      pingInterval: readMillis(pingInterval),
      pingTimeout: readMillis(pingTimeout),
    };
    this.#pacemaker.heartbeat.adopt(advertised);
    this.#pacemaker.retimed();
  }

  /** Bytes that wait to leave, as far as the runtime tells. */
  get #bufferedAmount(): number {
    const { bufferedAmount = 0 } = this.#socket as { bufferedAmount?: number };
    return bufferedAmount - this.#stuck;
  }

  #sendPing(ping: PingOrder): void {
    this.#alone = ping.id;
    const session = this.#session;
    const values = {
      ...(ping.first && { v: '1', ...(session && { session }) }),
      ...this.#presence.valuesOf(ping.first),
    };
    const text = encodeBeat({ type: 'ping', id: ping.id, values });
    if (!this.#isMidMessage) return this.#sendText(text);
    this.#heldPing ??= text; // the first, which may be that of the connection
    this.#pacemaker.suspend(); // nobody can answer it yet
  }

  /** Until a message in fragments has ended, a text of ours would become a part of it. */
  #sentPart(isWhole: boolean): void {
    this.#isMidMessage = !isWhole;
    if (!isWhole) return;
    const ping = this.#heldPing;
    this.#heldPing = undefined;
    this.#pongs.flush();
    if (ping === undefined) return;
    this.#sendText(ping);
    this.#pacemaker.resume();
  }

  #sendText(text: string): void {
    if (this.#socket.readyState !== ReadyState.Open) return; // its `close` is on the way
    try {
      this.#send.call(this.#socket, text as never);
    } catch {
      // A ping that was not sent is not answered either: the verdict comes in its time.
    }
  }

  /** The connection has ended. A socket that comes back is watched on. */
  #settle(): void {
    if (reconnectOf(this.#socket) === undefined) this.#releaseAll();
  }

  #releaseAll(): void {
    for (const release of this.#release.splice(0)) release();
  }
}

/** No fewer bytes than a WebSocket makes of this: one for each character, or those that there are. */
function leastBytes(data: unknown): number {
  const { byteLength, size, length } = Object(data) as Record<string, number | undefined>;
  return byteLength ?? size ?? length ?? 0;
}

/** A duration as a beat has it: digits, else there is none. */
function readMillis(text: string | undefined): Millis | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
