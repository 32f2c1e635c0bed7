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
  type TimeoutReason,
  type Timing,
  type WebSocketLike,
} from '@wirebeat/core';

/** What is used of a socket of `ws`. */
export interface ServerSocket extends WebSocketLike {
  readonly bufferedAmount: number;
  send(data: never): void;
  send(data: never, options: { compress: boolean }, callback: () => void): void;
  ping(data: string, mask: boolean | undefined, callback: () => void): void;
  terminate(): void;
}

/**
 * Who answers: `transport` is the peer's WebSocket layer, by protocol Ping and Pong (RFC 6455
 * §5.5.2); `application` is the page itself. A browser's layer answers also while its page is frozen.
 */
export type Tier = 'transport' | 'application';

/** What a {@link Liveness} tells. Pings and pongs name their tier. */
export interface LivenessEvents extends Omit<HeartbeatEvents, 'ping' | 'pong'> {
  readonly ping: HeartbeatEvents['ping'] & { readonly tier: Tier };
  readonly pong: HeartbeatEvents['pong'] & { readonly tier: Tier };
  /** The connection has ended. Told exactly once, at `dead` or at its close. */
  readonly end: ConnectionEnd;
}

/** How a connection ended. */
export interface ConnectionEnd {
  /** `detached`: it goes on, but is no longer watched. */
  readonly reason: TimeoutReason | 'closed' | 'detached';
  /** RFC 6455 §7.1.5, if it closed. */
  readonly code: number | undefined;
  /** RFC 6455 §7.1.6. */
  readonly text: string;
}

export type LivenessListener = <Name extends keyof LivenessEvents>(
  name: Name,
  event: LivenessEvents[Name],
) => void;

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
  readonly #scheduler: Scheduler;
  readonly #payload: string;
  readonly #tell: LivenessListener;
  readonly #transport: Pacemaker;
  readonly #release: (() => void)[] = [];
  #application: Pacemaker | undefined; // from the client's first ping on
  #ended = false;

  constructor(
    socket: ServerSocket,
    timing: Timing,
    scheduler: Scheduler,
    payload: string,
    tell: LivenessListener,
  ) {
    this.#socket = socket;
    this.#send = socket.send;
    this.#scheduler = scheduler;
    this.#payload = payload;
    this.#tell = tell;
    this.#transport = new Pacemaker(timing, scheduler, {
      sendPing: (ping) => this.#sendProtocolPing(ping),
      sendPong: (id) => this.#sendBeat({ type: 'pong', id }),
      emit: (name, event) => this.#forward(name, event),
      buffered: () => socket.bufferedAmount,
    });
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
    return this.#application?.heartbeat.latency;
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
    if (this.#application === undefined) {
      throw new ConnectionClosedError(undefined, 'the client has sent no application ping');
    }
    const { pingTimeout } = this.#transport.heartbeat;
    const timeout = pingTimeout === Number.POSITIVE_INFINITY ? false : pingTimeout;
    return this.#application.ping({ ...rest, timeout: rest.timeout ?? timeout });
  }

  /** Ends the watch and leaves no trace on the socket, which stays open. */
  detach(): void {
    this.#end({ reason: 'detached', code: undefined, text: 'the heartbeat was detached' });
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

  #receive(beat: Beat | undefined): void {
    if (beat?.type !== 'ping') {
      this.#transport.receive();
      if (beat !== undefined) this.#application?.receiveBeat(beat);
      return;
    }
    this.#transport.receiveBeat(beat);
    if (this.#application === undefined) this.#measureApplication();
  }

  /** The client speaks: a first latency of its page. The schedule is the transport's alone. */
  #measureApplication(): void {
    if (this.#ended) return;
    const off = { pingInterval: false, pingTimeout: false } as const;
    this.#application = new Pacemaker(off, this.#scheduler, {
      sendPing: ({ id }) => this.#sendBeat({ type: 'ping', id }),
      sendPong: ignore,
      emit: (name, event) => {
        const isBeat = name === 'ping' || name === 'pong';
        if (isBeat) this.#tell(name, { ...event, tier: 'application' } as never);
      },
    });
    this.#application.open();
    this.#application.probe(this.#transport.heartbeat.pingTimeout);
  }

  #receiveProtocolPong(payload: Uint8Array): boolean {
    const [prefix, id, ...rest] = String.fromCharCode(...payload).split('.');
    if (prefix !== this.#payload || rest.length > 0) {
      this.#transport.receive();
      return false;
    }
    this.#transport.receiveBeat({ type: 'pong', id });
    return true;
  }

  #forward<Name extends keyof HeartbeatEvents>(name: Name, event: HeartbeatEvents[Name]): void {
    const isBeat = name === 'ping' || name === 'pong';
    this.#tell(name, (isBeat ? { ...event, tier: 'transport' } : event) as never);
    if (name !== 'dead') return;
    const { reason } = event as HeartbeatEvents['dead'];
    this.#end({ reason, code: undefined, text: '' });
    this.#socket.terminate(); // the handshake that close() begins would not come
  }

  #sendProtocolPing({ id }: PingOrder): void {
    if (this.#socket.readyState !== ReadyState.Open) return;
    const payload = id === undefined ? this.#payload : `${this.#payload}.${id}`;
    this.#socket.ping(payload, undefined, ignore);
  }

  #sendBeat(beat: Beat): void {
    if (this.#socket.readyState !== ReadyState.Open) return;
    this.#send.call(this.#socket, encodeBeat(beat) as never, { compress: false }, ignore);
  }

  #end(end: ConnectionEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const release of this.#release) release();
    const error = new ConnectionClosedError(end.code, end.text);
    if (this.status !== 'dead') this.#transport.close(error); // which it stays
    this.#application?.close(error);
    this.#tell('end', end);
  }
}
