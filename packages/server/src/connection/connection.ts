import {
  type Beat,
  ConnectionClosedError,
  encodeBeat,
  HeartbeatDriver,
  HeartbeatError,
  type HeartbeatEvent,
  type HeartbeatPort,
  type HeartbeatStatus,
  type Instant,
  type Millis,
  type PingOptions,
  type PingOrder,
  PongQueue,
  ReadyState,
  type Row,
} from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import type { RowTimer } from '../timing/row-timer.ts';
import { ApplicationTier, type ApplicationTierPort } from './application-tier.ts';
import { FLOOD, REPLACED, SERVICE_RESTART, UNRESPONSIVE } from './close-reasons.ts';
import type { ConnectionPort, PageState, RowPort } from './connection-port.ts';
import { DialectTier } from './dialect-tier.ts';
import type { ConnectionEnd, ConnectionEvents, Tier } from './events.ts';
import { payloadOf, readPayload } from './ping-payload.ts';
import { Progress } from './progress.ts';
import { type ByteCounter, dropLateBytes, expel, type ServerSocket } from './server-socket.ts';

const ignore = (): void => {};

/**
 * One connection while it is not a row: it has just opened, something is out of the ordinary, or
 * something other than the routine is asked of it. Receives the events of its socket, of both tiers and
 * of its server. Its driver is the transport tier, which decides whether the connection is dead.
 *
 * What the connection must not forget while it is a row is in its row from the start.
 */
export class Connection implements ApplicationTierPort, HeartbeatPort {
  readonly socket: ServerSocket;
  readonly row: Row;
  readonly #rows: RowPort;
  readonly #context: ConnectionPort;
  readonly #driver: HeartbeatDriver;
  readonly #timer: RowTimer;
  #pageTimer: RowTimer | undefined;
  #hasEnded = false;
  #page: ApplicationTier | undefined; // created on the client's first application ping
  #dialect: DialectTier | undefined; // a client of another protocol
  #pongs: PongQueue<ServerSocket> | undefined; // created with the first pong
  /**
   * Counts the bytes received. Between a protocol Ping and the next complete message, Ping or Pong it
   * is a {@link Progress}.
   */
  #incoming: ByteCounter | Progress | undefined;

  constructor(row: Row, rows: RowPort, context: ConnectionPort) {
    this.row = row;
    this.socket = rows.socket(row);
    this.#rows = rows;
    this.#context = context;
    this.#incoming = rows.incoming(row);
    this.#timer = rows.timer(row);
    this.#driver = new HeartbeatDriver(rows.machine(row), this.#timer, this);
    const page = rows.page(row);
    if (page !== undefined) this.#page = this.#tierOf(page);
  }

  /** Starts the heartbeat. The connection emits events from now on. */
  open(): void {
    const { dialect, tap } = this.#context;
    if (dialect !== undefined) this.#dialect = DialectTier.connect(dialect, this, this.#context);
    tap.open(this.socket);
    this.#driver.open();
    this.#rows.see(this.row, this.lastReceived);
    const { pingInterval, pingTimeout } = this.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#driver.probe(pingTimeout); // a first latency
    this.#dialect?.open();
  }

  get heartbeat(): HeartbeatDriver['heartbeat'] {
    return this.#driver.heartbeat;
  }

  get status(): HeartbeatStatus {
    return this.heartbeat.status;
  }

  get transportLatency(): Millis | undefined {
    return this.heartbeat.latency;
  }

  get applicationLatency(): Millis | undefined {
    return this.#dialect === undefined ? this.#page?.latency : this.#dialect.latency;
  }

  get isResponsive(): boolean | undefined {
    return this.#dialect?.isResponsive ?? this.#page?.isResponsive;
  }

  get lastReceived(): Instant {
    return this.heartbeat.lastReceived;
  }

  /** Whether a row can take the place of this object. */
  get isAtRest(): boolean {
    if (this.#dialect !== undefined) return false; // a row has no place for its session
    if (this.#hasEnded || this.#driver.isAwaited || this.#incoming instanceof Progress)
      return false;
    if (this.#page?.isAtRest === false || this.#pongs?.isEmpty === false) return false;
    return !this.#context.tap.isMidMessage(this.socket);
  }

  /** Whether the client was sent what the server asks for; `undefined` if it sends no pings. */
  get isWelcomed(): boolean | undefined {
    return this.#page?.isWelcomed;
  }

  /** Sets the timers of a connection that was a row. */
  rearm(): void {
    this.#driver.rearm();
    this.#page?.rearm();
  }

  /** Cancels the timers, because a row takes the place of this object. */
  release(): void {
    this.#driver.release();
    this.#page?.release();
    this.#pongs?.close();
  }

  /** The time of its row has come. */
  wake(): void {
    this.#timer.wake();
  }

  /** The time of the row of its page has come. */
  wakePage(): void {
    this.#pageTimer?.wake();
  }

  #tierOf({ machine, isWelcomed }: PageState): ApplicationTier {
    this.#pageTimer = this.#rows.pageTimer(this.row);
    const scheduler = this.#pageTimer;
    return new ApplicationTier(this, this.#context, { machine, isWelcomed, scheduler });
  }

  /** Handles what is due. */
  tick(): void {
    this.#driver.tick();
  }

  /** Handles what is due on the application tier. */
  tickPage(): void {
    this.#page?.tick();
  }

  get detectionBound(): Millis {
    return this.heartbeat.detectionBound;
  }

  /** Whether the heartbeat of this connection has ended. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async ping(options: PingOptions & { readonly tier?: Tier } = {}): Promise<Millis> {
    const { tier = 'transport', ...rest } = options;
    if (tier === 'transport') {
      this.beforeTick(); // a long message that is still arriving shows that the peer is alive
      return this.#driver.ping(rest);
    }
    if (this.#dialect !== undefined) return this.#pingDialect(this.#dialect, rest);
    if (this.#page === undefined) {
      throw new ConnectionClosedError(undefined, 'the client has sent no application ping');
    }
    return this.#page.ping({ ...rest, timeout: rest.timeout ?? this.#timeout });
  }

  async #pingDialect(tier: DialectTier, options: PingOptions): Promise<Millis> {
    const { mute } = tier;
    if (mute === undefined) return tier.ping({ timeout: this.#timeout, ...options });
    const words = `The protocol ${mute} has no place for pings`;
    throw new HeartbeatError('HeartbeatError', 'ERR_FOREIGN_PROTOCOL', words);
  }

  /** The default of `timeout` for pings of the application tier. */
  get #timeout(): Millis | false {
    const { pingTimeout } = this.heartbeat;
    return pingTimeout === Number.POSITIVE_INFINITY ? false : pingTimeout;
  }

  /** Applies the server's timing to the tier that is no row. */
  retime(): void {
    this.#dialect?.retime();
  }

  announce(values: Values): void {
    this.#page?.announce(values);
  }

  /**
   * Stops pinging the client and checking its answers, because the connection is about to be closed.
   */
  rest(): void {
    this.#endProgress();
    this.#driver.suspend();
    this.#page?.rest();
    this.#dialect?.rest();
  }

  /**
   * Closes the connection with 1012 and tells the client how long to wait before it reconnects, in ms:
   * both in a ping and in the close reason.
   */
  dismiss(retryAfter: Millis): void {
    if (this.hasEnded) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.announce({ retryAfter: String(hint) });
    const text = hint > 0 ? `service restart; retryAfter=${hint}` : 'service restart';
    this.socket.close(SERVICE_RESTART, text);
  }

  terminate(): void {
    this.socket.terminate();
  }

  detach(): void {
    this.#end({ reason: 'detached', code: undefined, text: 'the heartbeat was detached' });
  }

  // Incoming data.

  receiveMessage(beat: Beat | undefined): void {
    this.#endProgress();
    if (beat?.type === 'ping') return this.#receivePing(beat);
    this.#driver.receive();
    if (beat === undefined) {
      this.#rows.see(this.row, this.lastReceived);
      this.#page?.spoke(this.lastReceived);
      return;
    }
    this.#page?.receiveBeat(beat);
    this.#sawBeat();
  }

  #receivePing(ping: Beat): void {
    const received = Date.now();
    if (!this.#admits()) return;
    const session = ping.values?.['session'];
    const { sessions } = this.#context;
    const isBound = session !== undefined && sessions?.bind(this.#rows.handle(this.row), session);
    if (this.hasEnded) return; // a newer connection has taken over the session
    const isFirst = this.#page === undefined;
    this.#page ??= this.#tierOf({ machine: this.#rows.addPage(this.row), isWelcomed: false });
    this.#pongs ??= new PongQueue(this.socket, this.#context.pongPort);
    this.#pongs.values = this.#page.answerTo(ping, received, isBound === true);
    this.#driver.receiveBeat(ping);
    if (this.hasEnded) return;
    this.#page.receiveBeat(ping);
    this.#sawBeat();
    if (isFirst && !this.hasEnded) this.#page.probe(this.heartbeat.pingTimeout);
  }

  receiveProtocolPing(): void {
    this.#endProgress();
    if (!this.#admits()) return;
    this.#driver.receive();
    this.#sawBeat();
  }

  receiveProtocolPong(payload: Uint8Array): boolean {
    this.#endProgress();
    const pong = readPayload(this.#context.payload, payload);
    if (pong === undefined) this.#driver.receive();
    else this.#driver.receiveBeat(pong);
    this.#page?.layerAnswered();
    this.#dialect?.layerAnswered();
    return pong !== undefined;
  }

  sending(): void {
    this.#noteSent();
    this.#page?.spokenTo(this.#context.scheduler.now());
  }

  messageEnded(held: Beat | undefined): void {
    if (!this.#isOpen) return;
    this.#pongs?.flush();
    if (held === undefined) return;
    this.sendBeat(held);
    this.#page?.resume();
  }

  closed(code: number, text: string): void {
    this.#end({ reason: 'closed', code, text });
  }

  /** Returns whether the client may send a ping now. If not, closes the connection. */
  #admits(): boolean {
    if (this.#rows.admits(this.row, this.#context.scheduler.now())) return true;
    this.#expel(FLOOD);
    return false;
  }

  /** A ping or pong arrived. It counts for `lastSeen` once its client is authenticated. */
  #sawBeat(): void {
    if (this.hasEnded) return;
    const { authentication } = this.#context;
    if (authentication === undefined) this.#rows.see(this.row, this.lastReceived);
    else authentication.beat(this.#rows.handle(this.row), this.lastReceived);
  }

  // Implementation of `HeartbeatPort`.

  sendPing({ id }: PingOrder): void {
    if (!this.#isOpen) return;
    if (this.#incoming instanceof Progress) this.#incoming.asked();
    else if (this.#incoming !== undefined) this.#incoming = new Progress(this.#incoming);
    this.socket.ping(payloadOf(this.#context.payload, id), undefined, ignore);
  }

  sendPong(id: string | undefined): void {
    this.#pongs?.send(id);
  }

  emit(...[name, event]: HeartbeatEvent): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hears(name)) return; // the common case: without a listener, no event object is created
      return this.tell(name, { ...event, tier: 'transport' } as never);
    }
    this.tell(name, event as never);
    if (name !== 'dead') return;
    this.#end({ reason: event.reason, code: undefined, text: '' });
    if (this.#context.whenDead === 'report') return;
    this.socket.terminate(); // a dead peer would not answer the closing handshake
  }

  /** A complete message, Ping or Pong has arrived. */
  #endProgress(): void {
    if (this.#incoming instanceof Progress) this.#incoming = this.#incoming.counter;
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  get isPaused(): boolean {
    return this.socket.isPaused === true;
  }

  /** Checks whether a long message is still arriving. */
  beforeTick(): void {
    const incoming = this.#incoming;
    if (!(incoming instanceof Progress)) return;
    const seen = incoming.look(this.#context.scheduler, this.heartbeat.pingTimeout);
    if (seen === 'life') this.#driver.receive();
    else if (seen === 'pardon') {
      this.#driver.suspend(); // cancels the outstanding pings, then pings again
      this.#driver.resume();
    }
  }

  /** Bytes are about to be sent to the client. */
  #noteSent(): void {
    if (this.heartbeat.isSilentTo(this.#context.scheduler.now())) this.beforeTick();
    this.#driver.sent();
  }

  // What the application tier calls.

  tell<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void {
    this.#context.tell(this.row, name, event);
  }

  sendBeat(beat: Beat): void {
    const { tap } = this.#context;
    if (tap.isMidMessage(this.socket)) {
      tap.hold(this.socket, beat);
      this.#page?.suspend(); // it cannot answer a ping that has not been sent
      return;
    }
    this.#noteSent(); // proxies have seen traffic from us
    if (this.#isOpen) tap.send(this.socket, encodeBeat(beat));
  }

  giveUp(): void {
    this.#expel(UNRESPONSIVE);
  }

  get #isOpen(): boolean {
    return this.socket.readyState === ReadyState.Open;
  }

  // Ending the connection.

  replace(by: ServerSocket | undefined): void {
    if (this.hasEnded) return;
    this.#stop();
    dropLateBytes(this.socket);
    this.socket.terminate();
    this.tell('replaced', { by });
    this.#finish(REPLACED);
  }

  /** Closes the connection, tells the client why, and ignores everything that it sends from now on. */
  #expel(end: ConnectionEnd): void {
    if (this.hasEnded) return;
    this.#stop();
    expel(this.socket, this.#context.scheduler, end);
    this.#finish(end);
  }

  #end(end: ConnectionEnd): void {
    if (this.hasEnded) return;
    this.#stop();
    this.#finish(end);
  }

  /** Stops receiving and sending. */
  #stop(): void {
    this.#hasEnded = true;
    const handle = this.#rows.knownHandle(this.row);
    if (handle !== undefined) this.#context.sessions?.release(handle);
    this.#pongs?.close();
    this.#context.tap.close(this.socket);
    this.#dialect?.release();
  }

  #finish(end: ConnectionEnd): void {
    const error = new ConnectionClosedError(end.code, end.text);
    if (this.status !== 'dead') this.#driver.close(error); // otherwise its status stays `dead`
    this.#page?.close(error);
    this.#dialect?.close(error);
    this.tell('end', end);
  }
}
