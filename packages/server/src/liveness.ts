import {
  type Beat,
  ConnectionClosedError,
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Instant,
  type Millis,
  Pacemaker,
  type PingOptions,
} from '@wirebeat/core';
import type { Values } from './advertisement.ts';
import { FLOOD, REPLACED, SERVICE_RESTART, UNRESPONSIVE } from './ends.ts';
import type { LivenessContext, LivenessOrigin } from './liveness-context.ts';
import type { ConnectionEnd, LivenessListener, Tier } from './liveness-events.ts';
import { Page } from './page.ts';
import { dropLateBytes, expel, type ServerSocket } from './server-socket.ts';
import type { SessionClaim } from './sessions.ts';
import { TokenBucket } from './token-bucket.ts';
import { Wire } from './wire.ts';

/**
 * The heartbeat of one connection: one verdict from two tiers. Anything received is life; protocol
 * Pings ask when nothing is; application pings are answered at once and, from a client that has
 * sent one, measured.
 */
export class Liveness {
  readonly #wire: Wire;
  readonly #context: LivenessContext;
  readonly #tell: LivenessListener;
  readonly #transport: Pacemaker;
  readonly #claim: SessionClaim | undefined;
  #page: Page | undefined; // from the client's first application ping on
  #answer: Values | undefined; // of the pong that is about to be sent
  #bucket: TokenBucket | undefined; // from its first ping of either kind on
  #lastSeen: Instant = 0;
  #ended = false;

  constructor(
    socket: ServerSocket,
    context: LivenessContext,
    tell: LivenessListener,
    { userOf, counter }: LivenessOrigin,
  ) {
    const wire = new Wire(socket, context, counter);
    this.#wire = wire;
    this.#context = context;
    this.#tell = tell;
    this.#transport = new Pacemaker(context.fleet.timing, context.scheduler, {
      sendPing: (ping) => wire.sendProtocolPing(ping),
      sendPong: (id) => wire.sendPong({ type: 'pong', id, values: this.#answer }),
      emit: (name, event) => this.#forward(name, event),
      buffered: () => this.#look(),
    });
    const replace = (by: ServerSocket) => this.#replace(by);
    this.#claim = userOf && context.sessions?.enter({ socket, replace }, userOf);
    wire.watch({
      receive: (beat) => this.#receive(beat),
      receiveProtocolPing: () => this.#receiveProtocolPing(),
      receiveProtocolPong: (payload) => this.#receiveProtocolPong(payload),
      sent: () => this.#transport.sent(),
      closed: (code, text) => this.#end({ reason: 'closed', code, text }),
    });
  }

  /** Begins. From here its listener is told. */
  open(): void {
    this.#transport.open();
    this.#lastSeen = this.lastReceived;
    const { pingInterval, pingTimeout } = this.#transport.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#transport.probe(pingTimeout); // a first latency
  }

  get status(): HeartbeatStatus {
    return this.#transport.heartbeat.status;
  }

  /** The last latency of the peer's WebSocket layer; undefined until the first. */
  get transportLatency(): Millis | undefined {
    return this.#transport.heartbeat.latency;
  }

  /** The last latency of the page itself; undefined until the first. */
  get applicationLatency(): Millis | undefined {
    return this.#page?.latency;
  }

  /** Whether its page answers, as far as is known; undefined of a client that has not spoken. */
  get isResponsive(): boolean | undefined {
    return this.#page?.isResponsive;
  }

  /** When anything was last received, by the scheduler's clock. */
  get lastReceived(): Instant {
    return this.#transport.heartbeat.lastReceived;
  }

  /**
   * When the application last heard of the peer, by the scheduler's clock: by a message, or by a
   * beat if it is authenticated. What an idle timeout of the application goes by.
   */
  get lastSeen(): Instant {
    return this.#lastSeen;
  }

  /** The worst time from the last byte received to `dead`, while this process runs. */
  get detectionBound(): Millis {
    return this.#transport.heartbeat.detectionBound;
  }

  /**
   * Pings one tier now; resolves to its latency. Rejects with {@link PingTimeoutError},
   * {@link ConnectionClosedError}, the signal's reason, or {@link InvalidOptionError} if `timeout`
   * is out of its range. The `application` tier can be asked only of a client that has sent an
   * application ping itself: to others such a ping would be an ordinary message.
   */
  async ping(options: PingOptions & { readonly tier?: Tier } = {}): Promise<Millis> {
    const { tier = 'transport', ...rest } = options;
    if (tier === 'transport') return this.#transport.ping(rest);
    if (this.#page === undefined) {
      throw new ConnectionClosedError(undefined, 'the client has sent no application ping');
    }
    const { pingTimeout } = this.#transport.heartbeat;
    const timeout = pingTimeout === Number.POSITIVE_INFINITY ? false : pingTimeout;
    return this.#page.ping({ ...rest, timeout: rest.timeout ?? timeout });
  }

  /** Tells the page values of the protocol, by a ping; does nothing if it has not spoken. */
  announce(values: Values): void {
    this.#page?.announce(values);
  }

  /** The peer is not judged any more, nor asked: its connection is about to be closed. */
  rest(): void {
    this.#wire.progress?.heard();
    this.#transport.suspend();
    this.#page?.rest();
  }

  /** Closes the connection with 1012, and with a hint when to come back: by a ping and in the text. */
  dismiss(retryAfter: Millis): void {
    if (this.#ended) return;
    const hint = Math.round(retryAfter);
    if (hint > 0) this.announce({ retryAfter: String(hint) });
    const text = hint > 0 ? `service restart; retryAfter=${hint}` : 'service restart';
    this.#wire.socket.close(SERVICE_RESTART, text);
  }

  /** Drops the connection at once. */
  terminate(): void {
    this.#wire.socket.terminate();
  }

  /** Ends the watch and leaves no trace on the socket, which stays open. */
  detach(): void {
    this.#end({ reason: 'detached', code: undefined, text: 'the heartbeat was detached' });
  }

  // What comes.

  #receive(beat: Beat | undefined): void {
    this.#wire.progress?.heard();
    if (beat?.type === 'ping') return this.#receivePing(beat);
    this.#transport.receive();
    if (beat === undefined) {
      this.#lastSeen = this.lastReceived;
      this.#page?.receive(this.#lastSeen);
      return;
    }
    this.#page?.receiveBeat(beat);
    this.#seen();
  }

  #receivePing(ping: Beat): void {
    const received = Date.now();
    if (!this.#admits()) return;
    const session = ping.values?.['session'];
    const isBound = session !== undefined && this.#claim?.bind(session) === true;
    if (this.#ended) return; // a newer connection has its session
    const isFirst = this.#page === undefined;
    this.#page ??= this.#meetPage();
    this.#answer = this.#page.answerTo(ping, received, isBound);
    this.#transport.receiveBeat(ping);
    if (this.#ended) return;
    this.#page.receiveBeat(ping);
    this.#seen();
    if (isFirst && !this.#ended) this.#page.probe(this.#transport.heartbeat.pingTimeout);
  }

  #receiveProtocolPing(): void {
    this.#wire.progress?.heard();
    if (!this.#admits()) return;
    this.#transport.receive();
    this.#seen();
  }

  #receiveProtocolPong(payload: Uint8Array): boolean {
    this.#wire.progress?.heard();
    const pong = this.#wire.readProtocolPong(payload);
    if (pong === undefined) this.#transport.receive();
    else this.#transport.receiveBeat(pong);
    this.#page?.layerAnswered();
    return pong !== undefined;
  }

  /** Whether the peer may send a ping now. If not, it is shown out. */
  #admits(): boolean {
    const { scheduler, pingLimit } = this.#context;
    this.#bucket ??= new TokenBucket();
    if (this.#bucket.take(scheduler.now(), pingLimit)) return true;
    this.#expel(FLOOD);
    return false;
  }

  /** A beat came. Of who is not let in yet it says nothing to the application. */
  #seen(): void {
    if (this.#ended || !this.#context.authenticated(this.#wire.socket)) return;
    this.#lastSeen = this.lastReceived;
  }

  /** Time has passed: is anything on its way, in either direction? */
  #look(): number {
    const { pingTimeout } = this.#transport.heartbeat;
    const seen = this.#wire.progress?.look(this.#context.scheduler, pingTimeout);
    if (seen === 'life') this.#transport.receive();
    else if (seen === 'pardon') {
      this.#transport.suspend(); // what is owed is forgiven, and asked for afresh
      this.#transport.resume();
    }
    return this.#wire.socket.bufferedAmount;
  }

  /** The client speaks. */
  #meetPage(): Page {
    const shell = {
      scheduler: this.#context.scheduler,
      tell: this.#tell,
      sendBeat: (beat: Beat) => {
        this.#transport.sent(); // something went out: proxies have seen us
        this.#wire.sendBeat(beat);
      },
      lastReceived: () => this.lastReceived,
      giveUp: () => this.#expel(UNRESPONSIVE),
    };
    return new Page(shell, this.#context);
  }

  // What is told.

  #forward<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    const isBeat = name === 'ping' || name === 'pong';
    this.#tell(name, (isBeat ? { ...event, tier: 'transport' } : event) as never);
    if (name !== 'dead') return;
    const { reason } = event as HeartbeatEvents['dead'];
    this.#end({ reason, code: undefined, text: '' });
    if (this.#context.whenDead === 'report') return;
    this.#wire.socket.terminate(); // the handshake that close() begins would not come
  }

  // The end.

  #replace(by: ServerSocket): void {
    if (this.#ended) return;
    const { socket } = this.#wire;
    this.#stop();
    dropLateBytes(socket);
    socket.terminate();
    this.#tell('replaced', { by });
    this.#finish(REPLACED);
  }

  /** Shows the peer out: it is told why, and heard no more. */
  #expel(end: ConnectionEnd): void {
    if (this.#ended) return;
    this.#stop();
    expel(this.#wire.socket, this.#context.scheduler, end);
    this.#finish(end);
  }

  #end(end: ConnectionEnd): void {
    if (this.#ended) return;
    this.#stop();
    this.#finish(end);
  }

  /** Nothing is heard or sent any more. */
  #stop(): void {
    this.#ended = true;
    this.#claim?.release();
    this.#wire.unwatch();
  }

  #finish(end: ConnectionEnd): void {
    const error = new ConnectionClosedError(end.code, end.text);
    if (this.status !== 'dead') this.#transport.close(error); // which it stays
    this.#page?.close(error);
    this.#tell('end', end);
  }
}
