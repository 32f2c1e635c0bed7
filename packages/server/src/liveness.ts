import {
  type Beat,
  ConnectionClosedError,
  encodeBeat,
  type HeartbeatEvents,
  type HeartbeatStatus,
  type Instant,
  intercept,
  interceptSend,
  type Millis,
  Pacemaker,
  type PingOptions,
  type PingOrder,
  ReadyState,
  type Scheduler,
} from '@wirebeat/core';
import type { Fleet } from './fleet.ts';
import type { ConnectionEnd, LivenessListener, Tier } from './liveness-events.ts';
import { Page, type Values } from './page.ts';
import { dropLateBytes, type ServerSocket } from './server-socket.ts';
import type { SessionClaim, Sessions } from './sessions.ts';

/** What the connections of one server share. */
export interface LivenessContext {
  readonly fleet: Fleet;
  readonly scheduler: Scheduler;
  /** What begins the payload of our protocol Pings: see {@link drawPayload}. */
  readonly payload: string;
  /** Absent where there are none. */
  readonly sessions: Sessions | undefined;
}

/**
 * Draws what begins the payload of our protocol Pings: the application's own `pong` events see only
 * its own, and a second heartbeat on the same sockets sees all of its.
 */
export function drawPayload(random: () => number): string {
  return `wb-${Math.floor(random() * 36 ** 6).toString(36)}`;
}

const ignore = (): void => {};

/**
 * The heartbeat of one connection: one verdict from two tiers. Anything received is life; protocol
 * Pings ask when nothing is; application pings are answered at once and, from a client that has
 * sent one, measured.
 */
export class Liveness {
  readonly #socket: ServerSocket;
  readonly #send: ServerSocket['send'];
  readonly #context: LivenessContext;
  readonly #tell: LivenessListener;
  readonly #transport: Pacemaker;
  readonly #claim: SessionClaim | undefined;
  readonly #release: (() => void)[] = [];
  #page: Page | undefined; // from the client's first ping on
  #answer: Values | undefined; // of the pong that is about to be sent
  #ended = false;

  /** `userOf` tells whose the connection is, where there are sessions. */
  constructor(
    socket: ServerSocket,
    context: LivenessContext,
    tell: LivenessListener,
    userOf?: () => unknown,
  ) {
    this.#socket = socket;
    this.#send = socket.send;
    this.#context = context;
    this.#tell = tell;
    this.#transport = new Pacemaker(context.fleet.timing, context.scheduler, {
      sendPing: (ping) => this.#sendProtocolPing(ping),
      sendPong: (id) => this.#sendBeat({ type: 'pong', id, values: this.#answer }),
      emit: (name, event) => this.#forward(name, event),
      buffered: () => socket.bufferedAmount,
    });
    this.#claim = userOf && this.#enter(userOf);
    this.#watchSocket();
  }

  /** Begins. From here its listener is told. */
  open(): void {
    this.#transport.open();
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

  /** When anything was last received, by the scheduler's clock. */
  get lastReceived(): Instant {
    return this.#transport.heartbeat.lastReceived;
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

  /** Ends the watch and leaves no trace on the socket, which stays open. */
  detach(): void {
    this.#end({ reason: 'detached', code: undefined, text: 'the heartbeat was detached' });
  }

  #enter(userOf: () => unknown): SessionClaim | undefined {
    const replace = (by: ServerSocket) => this.#replace(by);
    return this.#context.sessions?.enter({ socket: this.#socket, replace }, userOf);
  }

  #watchSocket(): void {
    const socket = this.#socket;
    const onClose = (event: { code: number; reason: string }) => {
      this.#end({ reason: 'closed', code: event.code, text: event.reason });
    };
    socket.addEventListener('close', onClose);
    this.#release.push(
      () => socket.removeEventListener('close', onClose),
      interceptSend(socket, () => this.#transport.sent()),
      intercept(socket, {
        receive: (beat) => this.#receive(beat),
        receiveProtocolPing: () => this.#transport.receive(),
        receiveProtocolPong: (payload) => this.#receiveProtocolPong(payload),
      }),
    );
  }

  /**
   * Tells the client's page these values of the protocol, by an application ping. Does nothing to a
   * client that has sent none.
   */
  announce(values: Values): void {
    this.#page?.announce(values);
  }

  // What comes.

  #receive(beat: Beat | undefined): void {
    if (beat?.type === 'ping') return this.#receivePing(beat);
    this.#transport.receive();
    if (beat !== undefined) this.#page?.receivePong(beat);
  }

  #receivePing(ping: Beat): void {
    const received = Date.now();
    const session = ping.values?.['session'];
    const isBound = session !== undefined && this.#claim?.bind(session) === true;
    if (this.#ended) return; // a newer connection has its session
    const isFirst = this.#page === undefined;
    this.#page ??= this.#meetPage();
    this.#answer = this.#page.answerTo(ping, received, isBound, this.#context.fleet.welcome);
    this.#transport.receiveBeat(ping);
    if (isFirst && !this.#ended) this.#page.probe(this.#transport.heartbeat.pingTimeout);
  }

  #receiveProtocolPong(payload: Uint8Array): boolean {
    const [prefix, id, ...rest] = String.fromCharCode(...payload).split('.');
    if (prefix !== this.#context.payload || rest.length > 0) {
      this.#transport.receive();
      return false;
    }
    this.#transport.receiveBeat({ type: 'pong', id });
    return true;
  }

  /** The client speaks. */
  #meetPage(): Page {
    const { scheduler } = this.#context;
    return new Page({ scheduler, tell: this.#tell, sendBeat: (beat) => this.#sendBeat(beat) });
  }

  // What is told.

  #forward<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    const isBeat = name === 'ping' || name === 'pong';
    this.#tell(name, (isBeat ? { ...event, tier: 'transport' } : event) as never);
    if (name !== 'dead') return;
    const { reason } = event as HeartbeatEvents['dead'];
    this.#end({ reason, code: undefined, text: '' });
    this.#socket.terminate(); // the handshake that close() begins would not come
  }

  // What is sent.

  #sendProtocolPing({ id }: PingOrder): void {
    if (this.#socket.readyState !== ReadyState.Open) return;
    const { payload } = this.#context;
    this.#socket.ping(id === undefined ? payload : `${payload}.${id}`, undefined, ignore);
  }

  #sendBeat(beat: Beat): void {
    if (this.#socket.readyState !== ReadyState.Open) return;
    this.#send.call(this.#socket, encodeBeat(beat) as never, { compress: false }, ignore);
  }

  // The end.

  #replace(by: ServerSocket): void {
    if (this.#ended) return;
    this.#stop();
    dropLateBytes(this.#socket);
    this.#socket.terminate();
    this.#tell('replaced', { by });
    this.#finish({
      reason: 'replaced',
      code: undefined,
      text: 'a newer connection took its place',
    });
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
    for (const release of this.#release) release();
  }

  #finish(end: ConnectionEnd): void {
    const error = new ConnectionClosedError(end.code, end.text);
    if (this.status !== 'dead') this.#transport.close(error); // which it stays
    this.#page?.close(error);
    this.#tell('end', end);
  }
}
