import {
  type Beat,
  ConnectionClosedError,
  type DialectConnection,
  decodeBeat,
  encodeBeat,
  HeartbeatDriver,
  HeartbeatError,
  type HeartbeatEvent,
  type Instant,
  initialTiming,
  type Millis,
  type PingOptions,
  type PingOrder,
  PongQueue,
  ReadyState,
  SystemScheduler,
  type WebSocketLike,
  type Wire,
} from '@wirebeat/core';
import { isForeign } from './foreign-protocols.ts';
import type { ResolvedAttachOptions } from './options.ts';
import { type PageState, watchPageState } from './page/page-state.ts';

/**
 * What answers pings. A `gateway` answers itself, and may hold messages not yet read by its
 * upstream.
 */
export type Reader = 'server' | 'gateway';

/** The options of a {@link Link}. */
export interface LinkOptions extends ResolvedAttachOptions {
  /** Sent with the first ping, so that the server can replace an older connection of this client. */
  readonly session: string | undefined;
}

/** The longest wait after a hint until the peer is `suspect`. */
const HINT_TIMEOUT: Millis = 5_000;
/** Pongs wait only if more bytes are unsent: browsers report a message as sent a little late. */
const FREE_BYTES = 4_096;
/** Time between two checks of the clocks while messages come. A shorter sleep breaks nothing. */
const LOOK_AGAIN: Millis = 1_000;

/** The heartbeat of one socket. Its owner passes on what the socket sends and receives. */
export class Link {
  readonly driver: HeartbeatDriver;
  /** Whether the server has confirmed the session. */
  isBound = false;
  /** What answers the pings, and so has read the messages sent before them. */
  answersBy: Reader = 'server';
  /** How long the server asked to wait before the next connection, in a ping. */
  retryAfter: Millis | undefined;
  /** Reads the messages of another protocol; undefined: the heartbeat is our own. */
  dialect: DialectConnection | undefined;
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
    this.#socket = socket;
    this.#send = socket.send; // the owner may override it
    this.#options = options;
    this.#emit = emit;
    const { scheduler, lifecycle, memory } = options;
    const bufferedBytes = () => this.#bufferedBytes;
    this.driver = new HeartbeatDriver(
      initialTiming(options),
      scheduler,
      {
        sendPing: (ping) => this.#sendPing(ping),
        sendPong: (id) => this.#pongs.send(id),
        emit: (...event) => this.#emitEvent(...event),
        beforeTick: () => this.#page.look(),
        get bufferedBytes() {
          return bufferedBytes();
        },
        get isPaused() {
          return (socket as { isPaused?: boolean }).isPaused === true; // sockets of `ws`
        },
      },
      memory,
    );
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
    this.#page = watchPageState(this.driver, scheduler, lifecycle, () => this.probe());
  }

  now(): Instant {
    return this.#options.scheduler.now();
  }

  /** The socket has opened. Pings at once: that measures a first latency. */
  open(protocol = ''): void {
    const { dialect, maxSilence } = this.#options;
    this.#isMidMessage = false;
    this.#heldPing = undefined;
    this.dialect = dialect?.connect({
      end: 'client',
      protocol,
      driver: this.driver,
      maxSilence,
      now: () => this.now(),
      send: (message) => this.#sendText(message),
      emit: (...event) => this.#emitEvent(...event),
    });
    if (this.dialect) return this.dialect.open();
    this.#foreign = isForeign(protocol) ? protocol : undefined;
    this.driver.open(this.#foreign === undefined);
    const { pingInterval, pingTimeout } = this.driver.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.driver.probe(pingTimeout);
  }

  /**
   * Records a received message. Returns what is left for the application; undefined if it was a ping or
   * pong.
   */
  receive(data: unknown, timeStamp?: number): unknown {
    if (this.dialect) {
      const left = this.dialect.receive(data, typeof data === 'string');
      this.#look();
      return left;
    }
    const beat = typeof data === 'string' ? decodeBeat(data) : undefined;
    this.receiveBeat(beat, timeStamp);
    return beat === undefined ? data : undefined;
  }

  /** Records a received message, with the ping or pong in it, if any. */
  receiveBeat(beat: Beat | undefined, timeStamp?: number): void {
    if (beat !== undefined) this.#receiveBeat(beat);
    else this.driver.receive(this.#trustsStamps ? timeStamp : undefined);
    this.#look(timeStamp);
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
    this.#isMidMessage = !isWhole;
    if (isWhole) {
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
    const words = `The protocol ${foreign} has no place for pings`;
    throw new HeartbeatError('HeartbeatError', 'ERR_FOREIGN_PROTOCOL', words);
  }

  /** Pings now because the link may be dead. */
  probe(): void {
    this.driver.probe(Math.min(HINT_TIMEOUT, this.driver.heartbeat.pingTimeout));
  }

  /** Stops watching the page. */
  release(): void {
    this.#pongs.close();
    this.#page.end();
  }

  /** The connection has ended. Returns whether the peer refused the first ping. */
  close(code?: number, text?: string, byPeer = false): boolean {
    return this.driver.close(new ConnectionClosedError(code, text), byPeer);
  }

  /** The bytes that the socket has not sent yet; 0 if the runtime does not report them. */
  get #bufferedBytes(): number {
    const { bufferedAmount = 0 } = this.#socket as { bufferedAmount?: number };
    return bufferedAmount - this.#stuck;
  }

  /** At most once a second while messages come: reading a clock costs as much as a message. */
  #look(timeStamp?: number): void {
    const { lastReceived, lastSent } = this.driver.heartbeat;
    const latest = Math.max(lastReceived, lastSent);
    if (latest - this.#lookedAt < LOOK_AGAIN) return;
    this.#lookedAt = latest;
    this.#page.look();
    const { scheduler } = this.#options;
    const isSystem = scheduler instanceof SystemScheduler && timeStamp !== undefined;
    this.#trustsStamps = isSystem && Math.abs(scheduler.now() - timeStamp) < LOOK_AGAIN;
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

  #emitEvent(...event: HeartbeatEvent): void {
    const [name, detail] = event;
    if (name === 'unanswered' && this.dialect) return; // the dialect says when to ping
    // Firefox 153 subtracts the size of its own protocol Pongs from `bufferedAmount`, and then
    // never subtracts some bytes that it has sent. If the last message was a ping and it was
    // answered, the real amount is 0, so what remains is that error.
    if (name === 'pong' && detail.id === this.#alone) this.#stuck += this.#bufferedBytes;
    this.#emit(...event);
    if (name === 'pong' && detail.id && !this.dialect) this.#page.understood();
  }

  #sendPing({ id, first }: PingOrder): void {
    if (this.dialect) return this.#sendText(this.dialect.ping(id));
    this.#alone = id;
    const { session } = this.#options;
    const values = {
      ...(first && { v: '1', ...(session && { session }) }),
      ...this.#page.valuesOf(first),
    };
    const text = encodeBeat({ type: 'ping', id, values });
    if (!this.#isMidMessage) return this.#sendText(text);
    this.#heldPing ??= text; // keeps the earliest, which may be the first ping of the connection
    this.driver.suspend(); // the peer cannot answer it yet
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

/** Returns a lower bound of the size of a message in bytes: a character takes at least one byte. */
function leastBytes(data: unknown): number {
  const { byteLength, size, length } = Object(data) as Record<string, number | undefined>;
  return byteLength ?? size ?? length ?? 0;
}

/** Reads a duration in ms; undefined unless the text consists of digits. */
function readMillis(text: string | undefined): Millis | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
