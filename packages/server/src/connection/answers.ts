import { type PingOrder, type PongPort, PongQueue, type Scheduler } from '@wirebeat/core';
import type { Values } from '../timing/advertisement.ts';
import { BridgedPings, type PageBeat } from './bridged-pings.ts';
import { payloadOf } from './ping-payload.ts';
import type { ServerSocket } from './server-socket.ts';
import type { TransportTier } from './transport-tier.ts';

/** A ping of the client that is to be answered. */
export interface Asked extends PageBeat {
  /** Whether its session was bound. */
  readonly isBound: boolean;
}

/** What {@link Answers} need of their connection. */
export interface AnswersPort {
  readonly socket: ServerSocket;
  /** The values of the pong to a ping. */
  answerTo(asked: Asked): Values | undefined;
}

/** What the answers of one server share. */
export interface AnswersContext {
  readonly scheduler: Scheduler;
  /** Prefix of the payload of our protocol Pings: see `drawPayload`. */
  readonly payload: string;
  readonly pongPort: PongPort<ServerSocket>;
  /** `bridge`: pings are answered when the client has answered a protocol Ping. */
  readonly answer: 'local' | 'bridge';
  /** Counts the protocol Pings that were sent for pings, so that each has an id of its own. */
  bridged: number;
}

/** Answers the application pings of one client, at once or once a protocol Ping was answered. */
export class Answers {
  readonly #pongs: PongQueue<ServerSocket>;
  readonly #port: AnswersPort;
  readonly #transport: TransportTier;
  readonly #context: AnswersContext;
  readonly #bridged: BridgedPings<Asked> | undefined; // undefined if pings are answered at once

  constructor(port: AnswersPort, transport: TransportTier, context: AnswersContext) {
    this.#pongs = new PongQueue(port.socket, context.pongPort);
    this.#port = port;
    this.#transport = transport;
    this.#context = context;
    if (context.answer === 'bridge')
      this.#bridged = new BridgedPings((asked) => this.#bridge(asked));
  }

  /** Whether no ping waits for its answer, and no pong waits to be sent. */
  get isEmpty(): boolean {
    return this.#pongs.isIdle && this.#bridged?.isEmpty !== false;
  }

  /** Answers a ping, now or later. */
  answer(asked: Asked): void {
    if (this.#bridged === undefined) this.#pong(asked);
    else this.#bridged.ask(asked);
  }

  /** A protocol Ping is being sent, for an application ping or for none. */
  pinged({ id }: PingOrder, ping?: Asked): void {
    const payload = payloadOf(this.#context.payload, id);
    this.#bridged?.sent({ payload, id, ping, sentAt: this.#context.scheduler.now() });
  }

  /** The Pong to the protocol Ping with this id has come: answers the pings that wait for it. */
  ponged(id: string | undefined): void {
    const last = this.#bridged?.answer(payloadOf(this.#context.payload, id))?.last;
    if (last !== undefined) this.#pong(last.ping);
    this.#bridged?.askLater();
  }

  /** Sends a pong that had to wait. */
  flush(): void {
    this.#pongs.flush();
  }

  close(): void {
    this.#pongs.close();
    this.#bridged?.clear();
  }

  #bridge(asked: Asked): void {
    this.#context.bridged += 1;
    const id = `b${this.#context.bridged}`;
    this.#transport.pingWith((order) => this.pinged(order, asked), { id });
  }

  #pong(asked: Asked): void {
    this.#pongs.values = this.#port.answerTo(asked);
    this.#pongs.send(asked.beat.id);
  }
}
