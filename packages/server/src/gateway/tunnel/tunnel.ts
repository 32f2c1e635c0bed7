import type { Duplex } from 'node:stream';
import { CloseCode, type Millis, type Scheduler, type Timer } from '@wirebeat/core';
import type { GatewayEnd } from '../events.ts';
import { encodeClose, Opcode } from '../frames/frame.ts';
import { FrameError } from '../frames/frame-error.ts';
import { Activity, type SideFacts } from './activity.ts';
import { FramePipe } from './frame-pipe.ts';
import { otherOf, SIDES, type Side } from './side.ts';
import type { Line } from './side-heartbeat.ts';
import { tcpStateOf } from './tcp-state.ts';

/** How long the last bytes of a connection that the gateway closes may take to be sent, in ms. */
const LEAVE_WAIT: Millis = 1_000;

/** What the gateway sends to each end when it closes a connection: a Close frame, or nothing. */
export type Farewell = {
  readonly [Name in Side]?: readonly [code: number, text: string];
};

/** What one read contained. */
export interface Traffic {
  readonly bytes: number;
  readonly frames: number;
  /** Whether it contained a message or a part of one. */
  readonly hasMessage: boolean;
}

/** Receives the events of a {@link Tunnel}. */
export interface TunnelPort {
  /** Bytes have arrived and are about to be parsed. */
  received(side: Side): void;
  /**
   * A short text message that may be a heartbeat has arrived. Returns whether to drop it from the
   * traffic.
   */
  receiveText(side: Side, text: string): boolean;
  /** A control frame has arrived. Returns whether to drop it from the traffic. */
  receiveControl(side: Side, opcode: number, payload: Buffer): boolean;
  /** The bytes have been parsed and passed on. */
  passed(side: Side, traffic: Traffic): void;
  faulted(error: FrameError): void;
  /** Reading from a side has resumed, because the other side accepts bytes again. */
  resumed(side: Side): void;
  /** The connection is going to end. Called once. Returns the end to report. */
  decided(end: GatewayEnd): GatewayEnd;
  /** Both sides have closed. Called once, at the end. */
  ended(end: GatewayEnd): void;
}

/** What a {@link Tunnel} needs. */
export interface TunnelParts {
  readonly sockets: Readonly<Record<Side, Duplex>>;
  readonly scheduler: Scheduler;
  readonly maxMessageBytes: number;
  readonly closeTimeout: Millis;
}

/** The two sockets of a connection, the frame pipes between them, and how they close. */
export class Tunnel {
  readonly #parts: TunnelParts;
  readonly #watcher: TunnelPort;
  readonly #flows: Readonly<Record<Side, FramePipe>>; // keyed by source
  readonly #activity: Readonly<Record<Side, Activity>>;
  readonly #open: Set<Side> = new Set(SIDES);
  #end: GatewayEnd | undefined;
  #timer: Timer | undefined;

  constructor(parts: TunnelParts, watcher: TunnelPort) {
    this.#parts = parts;
    this.#watcher = watcher;
    const now = parts.scheduler.now();
    this.#activity = { page: new Activity(now), upstream: new Activity(now) };
    this.#flows = { page: this.#flowFrom('page'), upstream: this.#flowFrom('upstream') };
  }

  /** Starts to read both sides. Nothing is read before the next turn of the event loop. */
  listen(): void {
    for (const side of SIDES) this.#listen(side);
  }

  /** Passes on the bytes that followed the handshakes. */
  take(heads: Readonly<Record<Side, Buffer>>): void {
    for (const side of SIDES) if (heads[side].length > 0) this.#read(side, heads[side]);
  }

  /** Inserts a frame into the traffic to a side. */
  insert(to: Side, frame: Buffer, options?: Parameters<FramePipe['insert']>[1]): void {
    this.#activity[to].sent(this.#parts.scheduler.now());
    if (((frame[0] ?? 0) & 0x0f) === Opcode.Ping) this.asked(to);
    this.#flows[otherOf(to)].insert(frame, options);
  }

  /** A Ping is being sent to a side. */
  asked(side: Side): void {
    this.#activity[side].asked(this.#parts.scheduler.now());
  }

  /** Returns what is known about a side. Asks the kernel if an answer has been missing for `overdue`. */
  factsOf(side: Side, overdue: Millis): SideFacts {
    const facts = this.#activity[side].factsAt(this.#parts.scheduler.now());
    const isOverdue = (facts.unansweredFor ?? -1) >= overdue;
    return { ...facts, tcp: isOverdue ? tcpStateOf(this.#parts.sockets[side]) : undefined };
  }

  bytesFrom(side: Side): number {
    return this.#flows[side].bytesRead;
  }

  /** Returns the traffic of a side for its heartbeat. */
  lineOf(side: Side): Line {
    const [incoming, outgoing] = [this.#flows[side], this.#flows[otherOf(side)]];
    const socket = this.#parts.sockets[side];
    return {
      get bytesRead() {
        return incoming.bytesRead;
      },
      get isPaused() {
        return incoming.isPaused;
      },
      get bytesTaken() {
        return outgoing.bytesWritten - socket.writableLength;
      },
      get bytesWaiting() {
        return socket.writableLength + (outgoing.isWithinFrame ? 1 : 0);
      },
    };
  }

  /** Whether the connection is ending. */
  get isEnding(): boolean {
    return this.#end !== undefined;
  }

  /** Sets the reason of the end. What a side has sent before its Close frame is still passed on. */
  decide(end: GatewayEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#end = this.#watcher.decided(end);
  }

  /**
   * Closes the connection from the gateway. A Close frame cannot follow a partly sent frame: that side
   * sees 1006.
   */
  finish(end: GatewayEnd, farewell: Farewell = {}): void {
    this.decide(end);
    for (const side of SIDES) {
      const says = farewell[side];
      const close = says && encodeClose(...says, side === 'upstream');
      this.#flows[otherOf(side)].shut(close);
      this.#parts.sockets[side].end();
    }
    this.#limit(LEAVE_WAIT);
  }

  /** Drops one side at once, without a closing handshake. */
  drop(side: Side): void {
    this.#parts.sockets[side].destroy();
  }

  #flowFrom(side: Side): FramePipe {
    const { sockets, maxMessageBytes } = this.#parts;
    const ends = { side, source: sockets[side], sink: sockets[otherOf(side)], maxMessageBytes };
    return new FramePipe(ends, {
      receiveText: (text) => this.#watcher.receiveText(side, text),
      receiveControl: (opcode, payload) => this.#watcher.receiveControl(side, opcode, payload),
      closed: () => this.#closePassed(),
    });
  }

  #listen(side: Side): void {
    const socket = this.#parts.sockets[side];
    socket.on('data', (chunk: Buffer) => this.#read(side, chunk));
    socket.on('drain', () => this.#drained(side));
    socket.on('end', () => this.#ended(side));
    socket.on('error', (error) => this.decide(abnormal(side, error)));
    socket.on('close', () => this.#closed(side));
  }

  #read(side: Side, chunk: Buffer): void {
    const flow = this.#flows[side];
    if (flow.isShut) return flow.read(chunk); // which discards it
    const { frames, messages } = flow;
    const now = this.#parts.scheduler.now();
    this.#activity[side].received(now);
    this.#activity[otherOf(side)].sent(now);
    this.#watcher.received(side);
    try {
      flow.read(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#watcher.faulted(error);
    }
    this.#watcher.passed(side, {
      bytes: chunk.length,
      frames: flow.frames - frames,
      hasMessage: flow.messages > messages || flow.isWithinFrame,
    });
  }

  /** The side accepts bytes again, so the other side is read again. */
  #drained(side: Side): void {
    const other = otherOf(side);
    if (this.#flows[other].drained()) this.#watcher.resumed(other);
  }

  /**
   * A Close frame has been passed on. After the second one, the server closes first: RFC 6455 §7.1.1.
   */
  #closePassed(): void {
    this.#limit(this.#parts.closeTimeout);
    if (SIDES.every((side) => this.#flows[side].isShut)) this.#parts.sockets.page.end();
  }

  /** One side will send nothing more. A WebSocket cannot be half open, so both sides end. */
  #ended(side: Side): void {
    this.decide(abnormal(side));
    this.#limit(this.#parts.closeTimeout);
    for (const each of SIDES) {
      this.#flows[each].shut();
      this.#parts.sockets[each].end();
    }
  }

  #closed(side: Side): void {
    if (!this.#open.delete(side)) return;
    this.#ended(side);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#watcher.ended(this.#end ?? abnormal(side));
  }

  /** Drops the sides that are still open after this time. */
  #limit(within: Millis): void {
    const { scheduler } = this.#parts;
    this.#timer ??= scheduler.at(scheduler.now() + within, () => {
      for (const side of SIDES) this.drop(side);
    });
  }
}

function abnormal(by: Side, error?: Error): GatewayEnd {
  return { reason: 'abnormal', code: CloseCode.Abnormal, text: '', by, error };
}
