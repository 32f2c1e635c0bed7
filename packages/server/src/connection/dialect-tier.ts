import {
  type DialectChoice,
  type DialectConnection,
  HeartbeatDriver,
  type HeartbeatError,
  type HeartbeatEvent,
  type Instant,
  intercept,
  interceptCalls,
  type Millis,
  type PingOptions,
  ReadyState,
  type Wire,
} from '@wirebeat/core';
import type { ApplicationTierContext, ApplicationTierPort } from './application-tier.ts';
import type { ServerSocket } from './server-socket.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

/** What a {@link DialectTier} needs of its connection. */
export interface DialectTierPort extends Omit<ApplicationTierPort, 'sendBeat'> {
  readonly socket: ServerSocket;
}

/**
 * The application tier of a client that speaks another protocol, in the dialect of that protocol. The
 * transport tier decides whether the connection is dead. This tier measures the latency of the client's
 * own code, and is `unresponsive` if the client breaks its protocol while the transport tier answers: it
 * leaves a ping unanswered, or is silent for longer than its protocol allows.
 *
 * It reads the messages below the `SocketTap`, which so sees all of them.
 */
export class DialectTier {
  readonly #port: DialectTierPort;
  readonly #context: ApplicationTierContext;
  readonly #driver: HeartbeatDriver;
  readonly #dialect: DialectConnection;
  readonly #send: (data: never) => void;
  readonly #release: (() => void)[] = [];
  #silentFrom: Instant | undefined; // when it last sent anything, if the transport tier is silent too
  #isSilent = false;
  #isUnresponsive = false;
  #isMidMessage = false; // the application has sent a fragment of a message, but not the last one

  /**
   * Returns the tier of a connection, or `undefined` if the dialect is not that of its subprotocol. The
   * tier reads messages from now on, and starts with {@link open}.
   */
  static connect(
    choice: DialectChoice,
    port: DialectTierPort,
    context: ApplicationTierContext,
  ): DialectTier | undefined {
    let tier: DialectTier | undefined;
    const driver = new HeartbeatDriver(context.fleet.pageTiming, context.wheel, {
      sendPing: ({ id }) => tier?.sendPing(id),
      sendPong: () => {}, // pings of the client are no beats of wirebeat
      emit: (...event) => tier?.emit(...event),
      get isPaused() {
        return port.isPaused;
      },
    });
    const send = port.socket.send;
    const dialect = choice.connect({
      end: 'server',
      protocol: (port.socket as { readonly protocol?: string }).protocol ?? '',
      driver,
      maxSilence: NEVER, // the transport tier applies the option
      now: () => context.scheduler.now(),
      send: (message) => tier?.send(message),
      emit: (...event) => tier?.emit(...event),
    });
    if (dialect === undefined) return undefined;
    tier = new DialectTier(port, context, driver, dialect, send);
    return tier;
  }

  constructor(
    port: DialectTierPort,
    context: ApplicationTierContext,
    driver: HeartbeatDriver,
    dialect: DialectConnection,
    send: (data: never) => void,
  ) {
    this.#port = port;
    this.#context = context;
    this.#driver = driver;
    this.#dialect = dialect;
    this.#send = send;
    const { socket } = port;
    this.#release.push(
      intercept(socket, {
        receive: () => {},
        reader: {
          receive: (data, isText) => this.#receive(data, isText),
          receiveEvent: (event) => event, // sockets of `ws` emit
        },
      }),
      interceptCalls(
        socket,
        'send',
        (data) => this.#sending(data),
        (isWhole) => this.#sent(isWhole),
      ),
    );
  }

  open(): void {
    this.#dialect.open();
  }

  /** The last latency in ms, or `undefined` before the first pong. */
  get latency(): Millis | undefined {
    return this.#driver.heartbeat.latency;
  }

  get isResponsive(): boolean {
    return !this.#isUnresponsive;
  }

  /** The name of the dialect, if its protocol lets the server send no ping now. */
  get mute(): string | undefined {
    return this.#dialect.asks ? undefined : this.#dialect.name;
  }

  ping(options?: PingOptions): Promise<Millis> {
    return this.#driver.ping(options);
  }

  /** Applies the server's timing from the next ping on. */
  retime(): void {
    const { heartbeat } = this.#driver;
    const { pageTiming } = this.#context.fleet;
    const { maxSilence } = heartbeat;
    heartbeat.rebase({ ...pageTiming, options: { ...pageTiming.options, maxSilence } });
  }

  /** The transport tier has answered, so the connection works. */
  layerAnswered(): void {
    if (this.#silentFrom !== undefined) this.#accuse(this.#silentFrom);
  }

  /** Stops pinging the client and checking its answers. */
  rest(): void {
    this.#driver.suspend();
  }

  close(error: HeartbeatError): void {
    this.release();
    this.#driver.close(error);
  }

  /** Restores the socket. */
  release(): void {
    for (const release of this.#release.splice(0)) release();
  }

  // What the driver and the dialect call.

  sendPing(id: string | undefined): void {
    if (this.#isMidMessage)
      this.#driver.suspend(); // a text would become part of that message
    else this.send(this.#dialect.ping(id));
  }

  send(message: Wire | undefined): void {
    const { socket } = this.#port;
    if (message === undefined || socket.readyState !== ReadyState.Open) return;
    this.#send.call(socket, message as never);
  }

  emit(...[name, event]: HeartbeatEvent): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hears(name)) return;
      this.#port.tell(name, { ...event, tier: 'application' } as never);
    } else if (name === 'dead') this.#fellSilent(event.silentFor);
  }

  #receive(data: unknown, isText: boolean): unknown {
    if (this.#isSilent) this.#revive();
    return this.#dialect.receive(data, isText);
  }

  #sending(data: unknown): void {
    this.#driver.sent();
    this.#dialect.sending(data);
  }

  #sent(isWhole: boolean): void {
    const wasMidMessage = this.#isMidMessage;
    this.#isMidMessage = !isWhole;
    this.#dialect.sent();
    if (wasMidMessage && isWhole) this.#driver.resume();
  }

  /** The machine has declared the tier dead. It starts again with the next message of the client. */
  #fellSilent(silentFor: Millis): void {
    const { heartbeat } = this.#driver;
    this.#driver.open(false);
    heartbeat.maxSilence = NEVER;
    this.#driver.rearm();
    this.#isSilent = true;
    if (this.#context.whenUnresponsive === false) return;
    const silentFrom = this.#context.scheduler.now() - silentFor;
    this.#silentFrom = silentFrom;
    if (this.#port.lastReceived > silentFrom) this.#accuse(silentFrom);
  }

  #accuse(silentFrom: Instant): void {
    this.#silentFrom = undefined;
    this.#isUnresponsive = true;
    this.#port.tell('unresponsive', { silentFor: this.#context.scheduler.now() - silentFrom });
    if (this.#context.whenUnresponsive === 'terminate') this.#port.giveUp();
  }

  /** The client has sent something. */
  #revive(): void {
    const wasUnresponsive = this.#isUnresponsive;
    this.#isSilent = this.#isUnresponsive = false;
    this.#silentFrom = undefined;
    this.#dialect.open();
    if (this.#dialect.asks) this.#driver.receiveBeat({ type: 'pong' }); // pings again
    if (wasUnresponsive) this.#port.tell('responsive', {});
  }
}
