import {
  type Beat,
  ConnectionClosedError,
  encodeBeat,
  type Heartbeat,
  type HeartbeatEvents,
  type Instant,
  type Millis,
  type PingOptions,
  type PingOrder,
  ReadyState,
  type Row,
} from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import type { RowTimer } from '../timing/row-timer.ts';
import { Answers, type AnswersPort, type Asked } from './answers.ts';
import { ApplicationTier, type ApplicationTierPort } from './application-tier.ts';
import {
  type ConnectionEnd,
  closeAndStopReading,
  closeForRestart,
  dropLateBytes,
  FLOOD,
  REPLACED,
  UNRESPONSIVE,
} from './connection-end.ts';
import type { ConnectionPort, PageState, RowPort } from './connection-port.ts';
import { DialectTier } from './dialect-tier.ts';
import type { ConnectionEvents, Tier } from './events.ts';
import { readPayload } from './ping-payload.ts';
import type { ServerSocket } from './server-socket.ts';
import { TransportTier, type TransportTierPort } from './transport-tier.ts';

/**
 * One connection while it is not a row: it has just opened, is in trouble, or something unusual happens.
 * Receives the events of its socket, tiers and server.
 *
 * State that must survive while the connection is a row is kept in its row from the start.
 */
export class Connection implements ApplicationTierPort, TransportTierPort, AnswersPort {
  readonly socket: ServerSocket;
  readonly row: Row;
  readonly #rows: RowPort;
  readonly #context: ConnectionPort;
  readonly transport: TransportTier;
  /** The timers of its row and of the row of its page. */
  readonly timer: RowTimer;
  pageTimer: RowTimer | undefined;
  /** How many calls of `ConnectionRows.act` are using this object: such calls can be nested. */
  depth = 0;
  #hasEnded = false;
  #page: ApplicationTier | undefined; // created on the client's first application ping
  #dialect: DialectTier | undefined; // a client of another protocol
  #answers: Answers | undefined; // created on the client's first application ping to this object
  #asked: Asked | undefined; // set while the machine handles it

  constructor(row: Row, rows: RowPort, context: ConnectionPort) {
    this.row = row;
    this.socket = rows.socket(row);
    this.#rows = rows;
    this.#context = context;
    this.timer = rows.timer(row);
    this.transport = new TransportTier(this.socket, this, context, {
      incoming: rows.incoming(row), // before its machine takes over from the row
      machine: rows.machine(row),
      scheduler: this.timer,
    });
    const page = rows.page(row);
    if (page !== undefined) this.#page = this.#tierOf(page);
  }

  /** Starts the heartbeat. The connection emits events from now on. */
  open(): void {
    const { dialect, tap } = this.#context;
    if (dialect !== undefined) this.#dialect = DialectTier.connect(dialect, this, this.#context);
    tap.open(this.socket);
    this.transport.open();
    this.#rows.see(this.row, this.lastReceived);
    this.#dialect?.open();
  }

  /** The machine of the transport tier. */
  get heartbeat(): Heartbeat {
    return this.transport.heartbeat;
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
    if (this.depth > 0) return false; // an outer call still uses this object
    if (this.#dialect !== undefined) return false; // a row has no place for its session
    if (this.#hasEnded || !this.transport.isAtRest) return false;
    if (this.#page?.isAtRest === false || this.#answers?.isEmpty === false) return false;
    return !this.#context.tap.isMidMessage(this.socket);
  }

  /** Whether the client was sent the advertised timing; `undefined` if it sends no pings. */
  get isWelcomed(): boolean | undefined {
    return this.#page?.isWelcomed;
  }

  /** Sets the timers of a connection that was a row. */
  rearm(): void {
    this.transport.rearm();
    this.#page?.rearm();
  }

  /** Cancels the timers, because a row takes the place of this object. */
  release(): void {
    this.transport.release();
    this.#page?.release();
    this.#answers?.close();
  }

  #tierOf({ machine, isWelcomed }: PageState): ApplicationTier {
    this.pageTimer = this.#rows.pageTimer(this.row);
    const scheduler = this.pageTimer;
    return new ApplicationTier(this, this.#context, { machine, isWelcomed, scheduler });
  }

  /** Handles what is due on the application tier. */
  tickPage(): void {
    this.#page?.tick();
  }

  /** Whether the heartbeat of this connection has ended. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  async ping(options: PingOptions & { readonly tier?: Tier } = {}): Promise<Millis> {
    const { tier = 'transport', ...rest } = options;
    if (tier === 'transport') return this.transport.ping(rest);
    const asked = this.#dialect ?? this.#page;
    if (asked === undefined) {
      throw new ConnectionClosedError(undefined, 'the client has sent no application ping');
    }
    const { pingTimeout } = this.heartbeat;
    const timeout = pingTimeout === Number.POSITIVE_INFINITY ? false : pingTimeout;
    return asked.ping({ ...rest, timeout: rest.timeout ?? timeout });
  }

  /** Applies the server's timing to the tier that is no row. */
  retime(): void {
    this.#dialect?.retime();
  }

  announce(values: Values): void {
    this.#page?.announce(values);
  }

  /** Stops pinging the client and checking its answers, because the connection is about to close. */
  stopPinging(): void {
    this.transport.stopPinging();
    this.#page?.stopPinging();
    this.#dialect?.stopPinging();
  }

  /**
   * Closes the connection with 1012 and tells the client how long to wait before it reconnects, in ms:
   * both in a ping and in the close reason.
   */
  closeForRestart(retryAfter: Millis): void {
    if (this.hasEnded) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.announce({ retryAfter: String(hint) });
    closeForRestart(this.socket, hint);
  }

  terminate(): void {
    this.socket.terminate();
  }

  detach(): void {
    this.#end({ reason: 'detached', code: undefined, text: 'the heartbeat was detached' });
  }

  // Incoming data.

  receiveMessage(beat: Beat | undefined): void {
    if (beat?.type === 'ping') return this.#receivePing(beat);
    this.transport.receive();
    if (beat === undefined) {
      this.#rows.see(this.row, this.lastReceived);
      this.#page?.receiveMessage(this.lastReceived);
      return;
    }
    this.#page?.receiveBeat(beat);
    this.#sawBeat();
  }

  #receivePing(beat: Beat): void {
    const received = Date.now();
    if (!this.#admits()) return;
    const session = beat.values?.['session'];
    const { sessions } = this.#context;
    const isBound = session !== undefined && sessions?.bind(this.#rows.handle(this.row), session);
    if (this.hasEnded) return; // a newer connection has taken over the session
    const isFirst = this.#page === undefined;
    this.#page ??= this.#tierOf({ machine: this.#rows.addPage(this.row), isWelcomed: false });
    this.#answers ??= new Answers(this, this.transport, this.#context);
    this.#asked = { beat, received, isBound: isBound === true };
    this.transport.receiveBeat(beat);
    this.#asked = undefined;
    if (this.hasEnded) return;
    this.#page.receiveBeat(beat);
    this.#sawBeat();
    if (isFirst && !this.hasEnded) this.#page.probe(this.heartbeat.pingTimeout);
  }

  receiveProtocolPing(): void {
    if (!this.#admits()) return;
    this.transport.receive();
    this.#sawBeat();
  }

  receiveProtocolPong(payload: Uint8Array): boolean {
    const pong = readPayload(this.#context.payload, payload);
    if (pong === undefined) this.transport.receive();
    else this.transport.receiveBeat(pong);
    this.#page?.transportAnswered();
    this.#dialect?.transportAnswered();
    if (pong !== undefined) this.#answers?.ponged(pong.id);
    return pong !== undefined;
  }

  sending(): void {
    this.transport.sent();
    this.#page?.sending(this.#context.scheduler.now());
  }

  messageEnded(held: Beat | undefined): void {
    if (!this.isOpen) return;
    this.#answers?.flush();
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
    this.#closeFor(FLOOD);
    return false;
  }

  /** A ping or pong arrived. It counts for `lastSeen` once its client is authenticated. */
  #sawBeat(): void {
    if (this.hasEnded) return;
    const { lastSeen } = this.#context;
    if (lastSeen === undefined) this.#rows.see(this.row, this.lastReceived);
    else lastSeen.beat(this.#rows.handle(this.row), this.lastReceived);
  }

  // What the transport tier calls.

  get isOpen(): boolean {
    return this.socket.readyState === ReadyState.Open;
  }

  sendPong(): void {
    if (this.#asked !== undefined) this.#answers?.answer(this.#asked);
  }

  pinged(order: PingOrder): void {
    this.#answers?.pinged(order);
  }

  died({ reason }: HeartbeatEvents['dead']): void {
    this.#end({ reason, code: undefined, text: '' });
    if (this.#context.whenDead === 'report') return;
    this.socket.terminate(); // a dead peer would not answer the closing handshake
  }

  // What the answers call.

  answerTo({ beat, received, isBound }: Asked): Values | undefined {
    return this.#page?.answerTo(beat, received, isBound);
  }

  // What the application tier calls.

  emit<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void {
    this.#context.emit(this.row, name, event);
  }

  sendBeat(beat: Beat): void {
    const { tap } = this.#context;
    if (tap.isMidMessage(this.socket)) {
      tap.hold(this.socket, beat);
      this.#page?.suspend(); // it cannot answer a ping that has not been sent
      return;
    }
    this.transport.sent(); // proxies have seen traffic from us
    if (this.isOpen) tap.send(this.socket, encodeBeat(beat));
  }

  get isPaused(): boolean {
    return this.transport.isPaused();
  }

  giveUp(): void {
    this.#closeFor(UNRESPONSIVE);
  }

  // Ending the connection.

  replace(by: ServerSocket | undefined): void {
    this.#end(REPLACED, () => {
      dropLateBytes(this.socket);
      this.socket.terminate();
      this.emit('replaced', { by });
    });
  }

  /** Closes the connection, tells the client why, and ignores everything that it sends from now on. */
  #closeFor(end: ConnectionEnd): void {
    this.#end(end, () => closeAndStopReading(this.socket, this.#context.scheduler, end));
  }

  /** Stops receiving and sending, lets `act` close the socket, and emits `end`. */
  #end(end: ConnectionEnd, act: () => void = () => {}): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const handle = this.#rows.knownHandle(this.row);
    if (handle !== undefined) this.#context.sessions?.release(handle);
    this.#answers?.close();
    this.#context.tap.close(this.socket);
    this.#dialect?.release();
    act();
    const error = new ConnectionClosedError(end.code, end.text);
    this.transport.close(error);
    this.#page?.close(error);
    this.#dialect?.close(error);
    this.emit('end', end);
  }
}
