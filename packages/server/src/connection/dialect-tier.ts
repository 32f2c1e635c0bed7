import {
  type DialectChoice,
  type DialectConnection,
  HeartbeatDriver,
  HeartbeatError,
  type HeartbeatEvent,
  intercept,
  interceptCalls,
  type Millis,
  type PingOptions,
  ReadyState,
  type Wire,
} from '@wirebeat/core';
import type { ApplicationTierContext, ApplicationTierPort } from './application-tier.ts';
import { Responsiveness } from './responsiveness.ts';
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
 * It hides messages from the application only. The `SocketTap` sees all of them first.
 */
export class DialectTier {
  readonly #port: DialectTierPort;
  readonly #context: ApplicationTierContext;
  readonly #driver: HeartbeatDriver;
  readonly #dialect: DialectConnection;
  readonly #send: (data: never) => void;
  readonly #release: (() => void)[] = [];
  readonly #responsiveness: Responsiveness;
  #isSilent = false;
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
    const driver = new HeartbeatDriver(context.policy.pageTiming, context.wheel, {
      sendPing: ({ id }) => tier?.sendPing(id),
      sendPong: () => {}, // pings of the client are no beats of wirebeat
      emit: (...event) => tier?.emit(...event),
      isPaused: () => port.isPaused,
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
    this.#responsiveness = new Responsiveness(port, { ...context, maxUnresponsive: NEVER });
    const { socket } = port;
    this.#release.push(
      intercept(socket, {
        receive: () => {},
        dialect: { receive: (data, whole, isText) => this.#receive(data, whole, isText) },
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
    return !this.#responsiveness.isUnresponsive;
  }

  /** Pings the client now: see {@link HeartbeatDriver.ping}. Rejects if its protocol has no such ping. */
  async ping(options?: PingOptions): Promise<Millis> {
    if (this.#dialect.asks) return this.#driver.ping(options);
    const words = `The protocol ${this.#dialect.name} has no place for pings`;
    throw new HeartbeatError('HeartbeatError', 'ERR_FOREIGN_PROTOCOL', words);
  }

  /** Applies the server's timing from the next ping on. */
  retime(): void {
    this.#driver.heartbeat.rebase(this.#context.policy.pageTiming); // `maxSilence` is the dialect's
  }

  /** The transport tier has answered, so the connection works. */
  transportAnswered(): void {
    this.#responsiveness.transportAnswered();
  }

  /** Stops pinging the client and checking its answers. */
  stopPinging(): void {
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
      if (!this.#context.hasListener(name)) return;
      this.#port.emit(name, { ...event, tier: 'application' } as never);
    } else if (name === 'dead') this.#timedOut(event.silentFor);
  }

  #receive(...message: Parameters<DialectConnection['receive']>): unknown {
    if (this.#isSilent) this.#recover();
    return this.#dialect.receive(...message);
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
  #timedOut(silentFor: Millis): void {
    const { heartbeat } = this.#driver;
    this.#driver.open(false);
    heartbeat.maxSilence = NEVER;
    this.#driver.rearm();
    this.#isSilent = true;
    if (this.#context.whenUnresponsive !== false) this.#responsiveness.silent(silentFor);
  }

  /** The client has sent something. */
  #recover(): void {
    const wasUnresponsive = this.#responsiveness.clear();
    this.#isSilent = false;
    this.#dialect.open();
    if (this.#dialect.asks) this.#driver.receiveBeat({ type: 'pong' }); // pings again
    if (wasUnresponsive) this.#port.emit('responsive', {});
  }
}
