import {
  type Beat,
  ConnectionClosedError,
  encodeBeat,
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Instant,
  type Millis,
  Pacer,
  type PingOptions,
  type PingOrder,
  PongQueue,
  ReadyState,
  type Scheduler,
  type Sleeper,
  type WheelEntry,
} from '@wirebeat/core';
import type { Member } from '../fleet/connection-map.ts';
import type { SessionClaim, SessionHolder } from '../fleet/sessions.ts';
import type { Values } from '../timing/advertisement.ts';
import { NO_ENTRY } from '../timing/ping-scheduler.ts';
import { ApplicationTier, type ApplicationTierPort } from './application-tier.ts';
import type { Authenticated } from './authentication.ts';
import { FLOOD, REPLACED, SERVICE_RESTART, UNRESPONSIVE } from './close-reasons.ts';
import type { ConnectionHeartbeat } from './connection-heartbeat.ts';
import type { ConnectionOrigin, ConnectionPort } from './connection-port.ts';
import type { ConnectionEnd, ConnectionEvents, Tier } from './events.ts';
import { payloadOf, readPayload } from './ping-payload.ts';
import { Progress } from './progress.ts';
import { RateLimit } from './rate-limit.ts';
import { type ByteCounter, dropLateBytes, expel, type ServerSocket } from './server-socket.ts';
import type { SocketPort } from './socket-tap.ts';

const ignore = (): void => {};

/**
 * Implements {@link ConnectionHeartbeat}, and receives the events of its socket, of both tiers and of
 * its server. As a `Pacer` it drives the transport tier, which decides whether the connection is dead.
 *
 * One object does all of this without closures, and creates optional parts only when needed, to save
 * memory: an idle connection whose client sends no pings consists of this object and its machine.
 */
export class Connection
  extends Pacer
  implements
    ConnectionHeartbeat,
    Authenticated,
    Member,
    ApplicationTierPort,
    SessionHolder,
    SocketPort,
    Sleeper
{
  readonly socket: ServerSocket;
  place = 0;
  session: SessionClaim | number;
  readonly #context: ConnectionPort;
  #entry: WheelEntry; // its entry in the timing wheel, until the connection has ended
  #page: ApplicationTier | undefined; // created on the client's first application ping
  #bucket: RateLimit | undefined; // created on the client's first ping of either kind
  #pongs: PongQueue<ServerSocket> | undefined; // created with the first pong
  /**
   * Counts the bytes received. Between a protocol Ping and the next complete message, Ping or Pong it
   * is a {@link Progress}.
   */
  #incoming: ByteCounter | Progress | undefined;
  #lastSeen: Instant = 0;

  constructor(socket: ServerSocket, context: ConnectionPort, origin: ConnectionOrigin) {
    super(context.fleet.timing);
    this.socket = socket;
    this.session = origin.order;
    this.#context = context;
    this.#incoming = origin.counter;
    this.#entry = context.wheel.add(Number.POSITIVE_INFINITY, this);
  }

  /** Starts the heartbeat. The connection emits events from now on. */
  override open(): void {
    this.#context.tap.open(this.socket);
    super.open();
    this.#lastSeen = this.lastReceived;
    const { pingInterval, pingTimeout } = this.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.probe(pingTimeout); // measures a first latency
  }

  get status(): HeartbeatStatus {
    return this.heartbeat.status;
  }

  get transportLatency(): Millis | undefined {
    return this.heartbeat.latency;
  }

  get applicationLatency(): Millis | undefined {
    return this.#page?.latency;
  }

  get isResponsive(): boolean | undefined {
    return this.#page?.isResponsive;
  }

  get lastReceived(): Instant {
    return this.heartbeat.lastReceived;
  }

  get lastSeen(): Instant {
    return this.#lastSeen;
  }

  get detectionBound(): Millis {
    return this.heartbeat.detectionBound;
  }

  /** Whether the heartbeat of this connection has ended. */
  get hasEnded(): boolean {
    return this.#entry === NO_ENTRY;
  }

  override async ping(options: PingOptions & { readonly tier?: Tier } = {}): Promise<Millis> {
    const { tier = 'transport', ...rest } = options;
    if (tier === 'transport') return super.ping(rest);
    if (this.#page === undefined) {
      throw new ConnectionClosedError(undefined, 'the client has sent no application ping');
    }
    const { pingTimeout } = this.heartbeat;
    const timeout = pingTimeout === Number.POSITIVE_INFINITY ? false : pingTimeout;
    return this.#page.ping({ ...rest, timeout: rest.timeout ?? timeout });
  }

  announce(values: Values): void {
    this.#page?.announce(values);
  }

  /** Applies the server's new timing from the next ping on. */
  retime(): void {
    const { timing, pageTiming } = this.#context.fleet;
    this.heartbeat.rebase(timing);
    this.#page?.heartbeat.rebase(pageTiming);
  }

  /**
   * Stops pinging the client and checking its answers, because the connection is about to be closed.
   */
  rest(): void {
    this.#endProgress();
    this.suspend();
    this.#page?.rest();
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
    this.receive();
    if (beat === undefined) {
      this.#lastSeen = this.lastReceived;
      this.#page?.spoke(this.#lastSeen);
      return;
    }
    this.#page?.receiveBeat(beat);
    this.#sawBeat();
  }

  #receivePing(ping: Beat): void {
    const received = Date.now();
    if (!this.#admits()) return;
    const session = ping.values?.['session'];
    const isBound = session !== undefined && this.#context.sessions?.bind(this, session) === true;
    if (this.hasEnded) return; // a newer connection has taken over the session
    const isFirst = this.#page === undefined;
    this.#page ??= new ApplicationTier(this, this.#context);
    this.#pongs ??= new PongQueue(this.socket, this.#context.pongPort);
    this.#pongs.values = this.#page.answerTo(ping, received, isBound);
    this.receiveBeat(ping);
    if (this.hasEnded) return;
    this.#page.receiveBeat(ping);
    this.#sawBeat();
    if (isFirst && !this.hasEnded) this.#page.probe(this.heartbeat.pingTimeout);
  }

  receiveProtocolPing(): void {
    this.#endProgress();
    if (!this.#admits()) return;
    this.receive();
    this.#sawBeat();
  }

  receiveProtocolPong(payload: Uint8Array): boolean {
    this.#endProgress();
    const pong = readPayload(this.#context.payload, payload);
    if (pong === undefined) this.receive();
    else this.receiveBeat(pong);
    this.#page?.layerAnswered();
    return pong !== undefined;
  }

  sending(): void {
    this.sent();
    this.#page?.spokenTo(this.scheduler.now());
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
    const { scheduler, pingLimit } = this.#context;
    this.#bucket ??= new RateLimit();
    if (this.#bucket.take(scheduler.now(), pingLimit)) return true;
    this.#expel(FLOOD);
    return false;
  }

  /** A ping or pong arrived. It counts for `lastSeen` once its client is authenticated. */
  #sawBeat(): void {
    if (!this.hasEnded) this.#context.authentication.beat(this, this.lastReceived);
  }

  seen(at: Instant): void {
    if (at > this.#lastSeen) this.#lastSeen = at;
  }

  /** The session was bound after the client's ping had been answered. */
  bound(): void {
    this.announce({ session: 'ok' });
  }

  // Implementation of `Pacer`.

  protected get scheduler(): Scheduler {
    return this.#context.scheduler;
  }

  protected sendPing({ id }: PingOrder): void {
    if (!this.#isOpen) return;
    if (this.#incoming instanceof Progress) this.#incoming.asked();
    else if (this.#incoming !== undefined) this.#incoming = new Progress(this.#incoming);
    this.socket.ping(payloadOf(this.#context.payload, id), undefined, ignore);
  }

  protected sendPong(id: string | undefined): void {
    this.#pongs?.send(id);
  }

  protected emit<Name extends keyof HeartbeatEvents>(
    name: Name,
    event: HeartbeatEvents[Name],
  ): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hears(name)) return; // the common case: without a listener, no event object is created
      return this.tell(name, { ...event, tier: 'transport' } as never);
    }
    this.tell(name, event as never);
    if (name !== 'dead') return;
    const { reason } = event as HeartbeatEvents['dead'];
    this.#end({ reason, code: undefined, text: '' });
    if (this.#context.whenDead === 'report') return;
    this.socket.terminate(); // a dead peer would not answer the closing handshake
  }

  /** A complete message, Ping or Pong has arrived. */
  #endProgress(): void {
    if (this.#incoming instanceof Progress) this.#incoming = this.#incoming.counter;
  }

  /** Returns the bytes that wait to be sent, and checks whether a long message is still arriving. */
  protected override buffered(): number {
    const { pingTimeout } = this.heartbeat;
    const incoming = this.#incoming;
    const isWatched = incoming instanceof Progress;
    const seen = isWatched ? incoming.look(this.#context.scheduler, pingTimeout) : undefined;
    if (seen === 'life') this.receive();
    else if (seen === 'pardon') {
      this.suspend(); // cancels the outstanding pings, then pings again
      this.resume();
    }
    return this.socket.bufferedAmount;
  }

  override isPaused(): boolean {
    return this.socket.isPaused === true;
  }

  protected get alarm(): this {
    return this;
  }

  set(due: Instant): void {
    this.#context.wheel.move(this.#entry, due);
  }

  cancel(): void {} // waking too often costs less than removing an entry from the wheel

  wake(): void {
    this.tick();
  }

  // What the application tier calls.

  tell<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void {
    this.#context.tell(this, this.socket, name, event);
  }

  sendBeat(beat: Beat): void {
    const { tap } = this.#context;
    if (tap.isMidMessage(this.socket)) {
      tap.hold(this.socket, beat);
      this.#page?.suspend(); // it cannot answer a ping that has not been sent
      return;
    }
    this.sent(); // proxies have seen traffic from us
    if (this.#isOpen) tap.send(this.socket, encodeBeat(beat));
  }

  giveUp(): void {
    this.#expel(UNRESPONSIVE);
  }

  get #isOpen(): boolean {
    return this.socket.readyState === ReadyState.Open;
  }

  // Ending the connection.

  replace(by: ServerSocket): void {
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
    this.#context.wheel.remove(this.#entry);
    this.#entry = NO_ENTRY;
    this.#context.sessions?.release(this);
    this.#pongs?.close();
    this.#context.tap.close(this.socket);
  }

  #finish(end: ConnectionEnd): void {
    const error = new ConnectionClosedError(end.code, end.text);
    if (this.status !== 'dead') this.close(error); // otherwise its status stays `dead`
    this.#page?.close(error);
    this.tell('end', end);
  }
}
