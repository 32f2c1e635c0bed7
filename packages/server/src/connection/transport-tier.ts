import {
  type Beat,
  type Heartbeat,
  HeartbeatDriver,
  type HeartbeatError,
  type HeartbeatEvent,
  type HeartbeatEvents,
  type HeartbeatPort,
  type Millis,
  type PingOptions,
  type PingOrder,
  type Scheduler,
  type Timing,
} from '@wirebeat/core';
import type { ConnectionEvents } from './events.ts';
import { LongMessage } from './long-message.ts';
import { payloadOf } from './ping-payload.ts';
import type { ByteCounter } from './server-socket.ts';

const ignore = (): void => {};

/** What a {@link TransportTier} needs of its socket: a socket of `ws`, or one side of the gateway. */
export interface TransportSocket {
  readonly bufferedAmount: number;
  /** Whether nothing is read from the peer. */
  readonly isPaused?: boolean;
  /** Whether so much has been sent since the last Ping that the peer must be reading. */
  readonly isRead?: boolean;
  ping(payload: string, mask: undefined, sent: () => void): void;
}

/** What a {@link TransportTier} needs of its connection. */
export interface TransportTierPort {
  readonly isOpen: boolean;
  emit<Name extends keyof ConnectionEvents>(name: Name, event: ConnectionEvents[Name]): void;
  /** The machine has handled an application ping: it is to be answered. */
  sendPong(): void;
  /** A protocol Ping without an application ping is being sent. */
  pinged(order: PingOrder): void;
  died(event: HeartbeatEvents['dead']): void;
}

/** What the transport tiers of one server share. */
export interface TransportTierContext {
  readonly scheduler: Scheduler;
  /** Prefix of the payload of our protocol Pings: see `drawPayload`. */
  readonly payload: string;
  hasListener(name: keyof ConnectionEvents): boolean;
}

/** What a {@link TransportTier} takes over from a row, or starts with. */
export interface KeptTransport {
  readonly machine: Heartbeat | Timing;
  readonly scheduler: Scheduler;
  readonly incoming: ByteCounter | LongMessage | undefined;
}

/**
 * The transport tier of one connection: sends protocol Pings, and decides whether the connection is dead.
 * Whatever the client sends shows that it is alive, the bytes of a message that is still arriving too.
 */
export class TransportTier implements HeartbeatPort {
  readonly #socket: TransportSocket;
  readonly #port: TransportTierPort;
  readonly #context: TransportTierContext;
  readonly #driver: HeartbeatDriver;
  /**
   * Counts the bytes received. Between a protocol Ping and the next complete message, Ping or Pong it
   * is a {@link LongMessage}.
   */
  #incoming: ByteCounter | LongMessage | undefined;

  constructor(
    socket: TransportSocket,
    port: TransportTierPort,
    context: TransportTierContext,
    { machine, scheduler, incoming }: KeptTransport,
  ) {
    this.#socket = socket;
    this.#port = port;
    this.#context = context;
    this.#incoming = incoming;
    this.#driver = new HeartbeatDriver(machine, scheduler, this);
  }

  get heartbeat(): Heartbeat {
    return this.#driver.heartbeat;
  }

  /** Whether a row can take the place of this object. */
  get isAtRest(): boolean {
    return !this.#driver.isAwaited && !(this.#incoming instanceof LongMessage);
  }

  open(): void {
    this.#driver.open();
    const { pingInterval, pingTimeout } = this.heartbeat;
    if (pingInterval < Number.POSITIVE_INFINITY) this.#driver.probe(pingTimeout); // a first latency
  }

  /** Handles what is due. */
  tick(): void {
    this.#driver.tick();
  }

  /** Sets the timer for a machine that is in use already. */
  rearm(): void {
    this.#driver.rearm();
  }

  /** Cancels the timer, because a row takes the place of this object. */
  release(): void {
    this.#driver.release();
  }

  /** Pings now: see {@link HeartbeatDriver.ping}. */
  async ping(options?: PingOptions): Promise<Millis> {
    this.beforeTick(); // a long message that is still arriving shows that the peer is alive
    return this.#driver.ping(options);
  }

  /**
   * Pings now with an id or a whole payload, and passes the order on as well. Does not wait for the
   * answer.
   */
  pingWith(
    sent: (order: PingOrder) => void,
    { id, payload }: { readonly id?: string; readonly payload?: string },
  ): void {
    this.beforeTick();
    this.#driver.pingWith((order) => {
      this.#send(order, payload);
      sent(order);
    }, id);
  }

  /** A complete message, Ping or Pong has arrived that answers no ping of this tier. */
  receive(): void {
    this.endMessage();
    this.#driver.receive();
  }

  /** Bytes have arrived, maybe of a message that is not complete. */
  receiveBytes(): void {
    this.#driver.receive();
  }

  /** A ping of the page, or a Pong that answers one of ours, has arrived. */
  receiveBeat(beat: Beat): void {
    this.endMessage();
    this.#driver.receiveBeat(beat);
  }

  /** Bytes are about to be sent to the client. */
  sent(): void {
    if (this.heartbeat.isSilentTo(this.#context.scheduler.now())) this.beforeTick();
    this.#driver.sent();
  }

  /** Stops pinging the client and checking its answers. */
  stopPinging(): void {
    this.endMessage();
    this.#driver.suspend();
  }

  close(error: HeartbeatError): void {
    if (this.heartbeat.status !== 'dead') this.#driver.close(error); // otherwise its status stays `dead`
  }

  // Implementation of `HeartbeatPort`.

  sendPing(order: PingOrder): void {
    this.#send(order);
    this.#port.pinged(order);
  }

  sendPong(): void {
    this.#port.sendPong();
  }

  emit(...[name, event]: HeartbeatEvent): void {
    if (name === 'ping' || name === 'pong') {
      if (!this.#context.hasListener(name)) return; // the common case: without a listener, no event object is created
      return this.#port.emit(name, { ...event, tier: 'transport' } as never);
    }
    this.#port.emit(name, event as never);
    if (name === 'dead') this.#port.died(event);
  }

  bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  isPaused(): boolean {
    return this.#socket.isPaused === true;
  }

  /** Checks whether the peer is alive although it cannot answer: a long message is arriving or leaving. */
  beforeTick(): void {
    const incoming = this.#incoming;
    const isLong = incoming instanceof LongMessage;
    const seen = isLong && incoming.look(this.#context.scheduler, this.heartbeat.pingTimeout);
    if (seen === 'life') this.#driver.receive();
    else if (seen === 'pardon' || this.#socket.isRead === true) {
      this.#driver.suspend(); // cancels the outstanding pings, then pings again
      this.#driver.resume();
    }
  }

  /** A complete message, Ping or Pong has arrived. */
  endMessage(): void {
    if (this.#incoming instanceof LongMessage) this.#incoming = this.#incoming.counter;
  }

  #send({ id }: PingOrder, payload: string = payloadOf(this.#context.payload, id)): void {
    if (!this.#port.isOpen) return;
    if (this.#incoming instanceof LongMessage) this.#incoming.asked();
    else if (this.#incoming !== undefined) this.#incoming = new LongMessage(this.#incoming);
    this.#socket.ping(payload, undefined, ignore);
  }
}
