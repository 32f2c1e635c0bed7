import type { Duplex } from 'node:stream';
import type { Instant, Millis, Scheduler } from '@wirebeat/core';
import type { ByteCounter } from '../../connection/server-socket.ts';
import type { TransportSocket } from '../../connection/transport-tier.ts';
import { encodeFrame, Opcode } from '../frames/frame.ts';
import type { FramePipe, InsertOptions } from './frame-pipe.ts';
import { type TcpState, tcpStateOf } from './tcp-state.ts';

/**
 * More bytes than all buffers on the way can hold: kernels keep up to 4 to 6 MiB at either end. If this
 * much has been sent, the peer is reading.
 */
const READ_BYTES = 16 * 1_048_576;

/** What the gateway knows about one side when a connection ends. Durations are in ms. */
export interface SideFacts {
  /** Time since anything was received. */
  readonly silentFor: Millis;
  /** Time since anything was sent or received. */
  readonly idleFor: Millis;
  /** The longest such time before that, which the connection survived. */
  readonly survivedIdle: Millis;
  /** Time since the oldest ping that was sent after the last receipt; `undefined` if there is none. */
  readonly unansweredFor: Millis | undefined;
  /** Whether the kernel of the peer acknowledges what was sent; `undefined` if this is unknown. */
  readonly tcp: TcpState | undefined;
}

/**
 * One side of a tunnel: when anything was last sent and received there, and the side as the server's
 * heartbeat uses a socket of `ws`. What it sends is inserted between the frames that pass.
 */
export class TunnelSide implements TransportSocket, ByteCounter {
  readonly socket: Duplex;
  /** The frames that come from the side. */
  readonly incoming: FramePipe;
  /** The frames that go to the side. */
  readonly outgoing: FramePipe;
  readonly #scheduler: Scheduler;
  #takenThen = 0; // when the last Ping was sent
  #receivedAt: Instant;
  #at: Instant;
  #survivedIdle: Millis = 0;
  #askedAt: Instant | undefined;

  constructor(incoming: FramePipe, outgoing: FramePipe, scheduler: Scheduler) {
    this.socket = incoming.ends.source;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.#scheduler = scheduler;
    this.#receivedAt = this.#at = scheduler.now();
  }

  get bytesRead(): number {
    return this.incoming.bytesRead;
  }

  /** Whether reading is paused because the other side does not accept more bytes. */
  get isPaused(): boolean {
    return this.incoming.isPaused;
  }

  get bufferedAmount(): number {
    return this.isPaused ? 0 : this.socket.writableLength + (this.outgoing.isWithinFrame ? 1 : 0);
  }

  get isRead(): boolean {
    return this.#bytesTaken - this.#takenThen >= READ_BYTES;
  }

  ping(payload: string): void {
    this.#takenThen = this.#bytesTaken;
    this.asked();
    // Only the upstream must see every Ping: it may answer some of them, each for a ping of the page.
    this.#insert(Opcode.Ping, payload, this.#isUpstream ? {} : { slot: 'ping' });
  }

  /** Answers a Ping. RFC 6455 §5.5.3: one Pong to the latest of several Pings is enough. */
  pong(payload: Buffer): void {
    this.#insert(Opcode.Pong, payload, { slot: 'pong of the layer' });
  }

  /** Sends a text. A later text with the same slot replaces one that waits. */
  send(text: string, slot?: string): void {
    this.#insert(Opcode.Text, text, { isMessage: true, slot });
  }

  /** Something has arrived from the side. */
  received(): void {
    this.sent();
    this.#receivedAt = this.#at;
    this.#askedAt = undefined;
  }

  /** Something is being sent to the side. */
  sent(): void {
    const now = this.#scheduler.now();
    this.#survivedIdle = Math.max(this.#survivedIdle, now - this.#at);
    this.#at = now;
  }

  /** A Ping is being sent. It cannot be answered while nothing is read from the side. */
  asked(): void {
    if (!this.isPaused) this.#askedAt ??= this.#scheduler.now();
  }

  /** Returns what is known about the side. Asks the kernel if an answer has been missing for `overdue`. */
  facts(overdue: Millis): SideFacts {
    const now = this.#scheduler.now();
    const unansweredFor = this.#askedAt === undefined ? undefined : now - this.#askedAt;
    return {
      silentFor: now - this.#receivedAt,
      idleFor: now - this.#at,
      survivedIdle: this.#survivedIdle,
      unansweredFor,
      tcp: (unansweredFor ?? -1) >= overdue ? tcpStateOf(this.socket) : undefined,
    };
  }

  get #isUpstream(): boolean {
    return this.incoming.ends.side === 'upstream';
  }

  /** Bytes that the operating system has accepted for the side. */
  get #bytesTaken(): number {
    return this.outgoing.bytesWritten - this.socket.writableLength;
  }

  #insert(opcode: number, payload: string | Buffer, options: InsertOptions): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
    this.sent();
    this.outgoing.insert(encodeFrame(opcode, bytes, this.#isUpstream), options);
  }
}
