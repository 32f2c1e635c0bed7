import {
  type Beat,
  beatText,
  ConnectionClosedError,
  type DialectConnection,
  decodeBeat,
  HeartbeatDriver,
  HeartbeatError,
  type HeartbeatEvent,
  type HeartbeatPort,
  type Instant,
  type Interceptor,
  initialTiming,
  type Millis,
  type PingOptions,
  type PingOrder,
  type PongPort,
  PongQueue,
  ReadyState,
  type Scheduler,
  SystemScheduler,
  type WebSocketLike,
  type Wire,
} from '@wirebeat/core';
import { IS_PAGE } from './development.ts';
import { isForeign } from './foreign-protocols.ts';
import type { ResolvedAttachOptions } from './options.ts';
import { type PageState, watchPageState } from './page/page-state.ts';
import { pingSilentPeer, stopPinging } from './socket/silent-peer.ts';

/**
 * What answers pings. `gateway`: it answers them itself, so its upstream may not have read the
 * messages yet.
 */
export type AnsweredBy = 'server' | 'gateway';

/** The options of a {@link Link}. */
export interface LinkOptions extends ResolvedAttachOptions {
  /** Sent with the first ping, so that the server can replace an older connection of this client. */
  readonly session?: string | undefined;
}

/** The longest wait after a hint until the peer is `suspect`. */
const HINT_TIMEOUT: Millis = 5_000;
/** Time between two checks of the clocks while messages come. A shorter sleep breaks nothing. */
const LOOK_AGAIN: Millis = 1_000;

/**
 * The heartbeat of one socket. Its owner passes on what the socket sends and receives. It is the port
 * of its driver and of its pongs.
 */
export class Link implements HeartbeatPort, Interceptor, PongPort<WebSocketLike> {
  readonly driver: HeartbeatDriver;
  readonly scheduler: Scheduler;
  /** Whether the server has confirmed the session. */
  isBound = false;
  /** What answers the pings: see {@link SocketHeartbeat.answersBy}. */
  answersBy: AnsweredBy = 'server';
  /** How long the server asked to wait before the next connection, in a ping. */
  retryAfter: Millis | undefined;
  /** Reads the messages of another protocol; undefined: the heartbeat is our own. */
  dialect: DialectConnection | undefined;
  /** Every pong is sent at once if no more bytes are unsent: browsers count a message a little long. */
  readonly freeBytes = 4_096;
  isPaused?: () => boolean;
  isMidMessage?: () => boolean;
  readonly #socket: WebSocketLike;
  readonly #send: (data: never) => void;
  readonly #options: LinkOptions;
  readonly #emit: (...event: HeartbeatEvent) => void;
  readonly #page: PageState;
  readonly #pongs: PongQueue<WebSocketLike>;
  #alone: string | false | undefined = false; // the id of the last ping, if nothing was sent since
  #stuck = 0; // bytes that `bufferedAmount` reports by mistake
  #foreign: string | undefined; // the subprotocol, if it has no place for pings
  #isMidMessage = false; // the application has sent a fragment of a message, but not the last one
  #heldPing: string | undefined; // a ping that waits for the end of the message
  #trustsStamps = false; // whether events have the time of our clock, so that it need not be read
  #lookedAt: Instant = Number.NEGATIVE_INFINITY;

  constructor(
    socket: WebSocketLike,
    options: LinkOptions,
    emit: (...event: HeartbeatEvent) => void,
  ) {
    const { scheduler, lifecycle, memory } = options;
    this.scheduler = scheduler;
    this.#socket = socket;
    this.#send = socket.send; // the owner may override it
    this.#options = options;
    this.#emit = emit;
    if (!IS_PAGE) {
      this.isPaused = () => (socket as { isPaused?: boolean }).isPaused === true;
      this.isMidMessage = () => this.#isMidMessage;
    }
    this.driver = new HeartbeatDriver(initialTiming(options), scheduler, this, memory);
    this.#pongs = new PongQueue(socket, this);
    this.#page = watchPageState(this.driver, scheduler, lifecycle, () => this.probe());
  }

  now(): Instant {
    return this.scheduler.now();
  }

  /** The socket has opened. Pings at once: that measures a first latency. */
  open(protocol = ''): void {
    const { dialect, maxSilence } = this.#options;
    this.#page.opened();
    if (!IS_PAGE) {
      this.#isMidMessage = false;
      this.#heldPing = undefined;
    }
    this.dialect = dialect?.connect({
      end: 'client',
      protocol,
      driver: this.driver,
      maxSilence,
      now: () => this.now(),
      send: (message) => this.#sendText(message),
      emit: (...event) => this.emit(...event),
    });
    if (this.dialect) return this.dialect.open();
    this.#foreign = isForeign(protocol) ? protocol : undefined;
    this.driver.open(this.#foreign === undefined);
    pingSilentPeer(this, () => ({ socket: this.#socket, scheduler: this.scheduler }));
    const { pingInterval, pingTimeout } = this.driver.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.driver.probe(pingTimeout);
  }

  /** Records a received message, with the ping or pong in it, if any. */
  receive(beat: Beat | undefined, timeStamp?: number): void {
    if (beat !== undefined) this.#receiveBeat(beat);
    else this.driver.receive(this.#trustsStamps ? timeStamp : undefined);
    this.look(timeStamp);
  }

  receiveProtocolPing(): void {
    this.driver.receive();
  }

  /** The application is about to send a message. */
  sending(data: unknown): void {
    this.#page.look(); // always: a ping before the message finds out at once
    this.driver.sent();
    this.#alone = false;
    this.#pongs.sentBehind(leastBytes(data));
    this.dialect?.sending(data);
  }

  /**
   * The application has sent a message, or with `false` a fragment of one. Pings and pongs wait until
   * the message has ended, or they would become part of it.
   */
  sent(isWhole = true): void {
    if (!IS_PAGE) this.#isMidMessage = !isWhole;
    if (!IS_PAGE && isWhole) {
      const ping = this.#heldPing;
      this.#heldPing = undefined;
      this.#pongs.flush();
      if (ping !== undefined) {
        this.#sendText(ping);
        this.driver.resume();
      }
    }
    this.dialect?.sent();
  }

  /** Pings now: see {@link SocketHeartbeat.ping}. */
  async ping(options?: PingOptions): Promise<Millis> {
    const foreign = this.dialect?.asks === false ? this.dialect.name : this.#foreign;
    if (foreign === undefined || !this.driver.heartbeat.isMuted) {
      return this.driver.ping(options);
    }
    throw new HeartbeatError(
      'HeartbeatError',
      'ERR_FOREIGN_PROTOCOL',
      `The protocol ${foreign} has no place for pings`,
    );
  }

  /** Pings now because the link may be dead. */
  probe(): void {
    this.driver.probe(Math.min(HINT_TIMEOUT, this.driver.heartbeat.pingTimeout));
  }

  /** Stops watching the page. */
  release(): void {
    stopPinging(this);
    this.#pongs.close();
    this.#page.end();
  }

  /** The connection has ended. Returns whether the peer refused the first ping. */
  close(code?: number, text?: string, byPeer = false): boolean {
    return this.driver.close(new ConnectionClosedError(code, text), byPeer);
  }

  /**
   * Checks the clocks, at most once a second while messages come: reading a clock costs as much as a
   * message. Call it after a message, with the `timeStamp` of its event.
   */
  look(timeStamp?: number): void {
    const { lastReceived, lastSent } = this.driver.heartbeat;
    const latest = Math.max(lastReceived, lastSent);
    if (latest - this.#lookedAt < LOOK_AGAIN) return;
    this.#lookedAt = latest;
    this.#page.look();
    const { scheduler } = this;
    const isSystem = scheduler instanceof SystemScheduler && timeStamp !== undefined;
    this.#trustsStamps = isSystem && Math.abs(scheduler.now() - timeStamp) < LOOK_AGAIN;
  }

  // What the driver and the pongs need.

  bufferedBytes(): number {
    const { bufferedAmount = 0 } = this.#socket as { bufferedAmount?: number };
    return bufferedAmount - this.#stuck;
  }

  beforeTick(): void {
    this.#page.look();
  }

  emit(...event: HeartbeatEvent): void {
    const [name, detail] = event;
    if (name === 'unanswered' && this.dialect) return; // the dialect says when to ping
    // Firefox 153 subtracts the size of its own protocol Pongs from `bufferedAmount`, and then
    // never subtracts some bytes that it has sent. If the last message was a ping and it was
    // answered, the real amount is 0, so what remains is that error.
    if (name === 'pong' && detail.id === this.#alone) this.#stuck += this.bufferedBytes();
    this.#emit(...event);
    if (name === 'pong' && detail.id && !this.dialect) this.#page.understood();
  }

  sendPing({ id, first }: PingOrder): void {
    if (this.dialect) return this.#sendText(this.dialect.ping(id));
    this.#alone = id;
    const { session } = this.#options;
    const greeting = first ? `;v=1${session === undefined ? '' : `;session=${session}`}` : '';
    const text = beatText('ping', id) + greeting + this.#page.valueFor(first);
    if (IS_PAGE || !this.#isMidMessage) return this.#sendText(text);
    this.#heldPing ??= text; // keeps the earliest, which may be the first ping of the connection
    this.driver.suspend(); // the peer cannot answer it yet
  }

  sendPong(id: string | undefined): void {
    this.#pongs.send(id);
  }

  send(_: WebSocketLike, { id }: Beat): void {
    this.#alone = false;
    this.#sendText(beatText('pong', id));
  }

  #receiveBeat(beat: Beat): void {
    const { type, values = {} } = beat;
    if (values['by'] === 'gateway') this.answersBy = 'gateway';
    this.isBound ||= values['session'] === 'ok';
    if (type === 'ping') this.retryAfter = readMillis(values['retryAfter']) ?? this.retryAfter;
    this.driver.receiveBeat(beat);
    const pingInterval = readMillis(values['pingInterval']);
    const pingTimeout = readMillis(values['pingTimeout']);
    if (pingInterval === undefined && pingTimeout === undefined) return;
    // The server can change its timing at any time.
    this.driver.heartbeat.adopt({ pingInterval, pingTimeout });
    this.driver.rearm();
  }

  #sendText(text: Wire | undefined): void {
    if (text === undefined || this.#socket.readyState !== ReadyState.Open) return; // its `close` event will follow
    try {
      this.#send.call(this.#socket, text as never);
    } catch {
      // A ping that was not sent is not answered either, so the timeout handles this.
    }
  }
}

/**
 * Records a message received by a link. Returns what is left for the application; undefined if it was a
 * ping or pong.
 */
export function receiveMessage(link: Link, data: unknown, timeStamp?: number): unknown {
  const isText = typeof data === 'string';
  if (link.dialect) {
    const left = link.dialect.receive(data);
    link.look();
    return left;
  }
  const beat = isText ? decodeBeat(data) : undefined;
  link.receive(beat, timeStamp);
  return beat === undefined ? data : undefined;
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
