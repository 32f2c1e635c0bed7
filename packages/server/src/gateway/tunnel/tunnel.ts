import type { Duplex } from 'node:stream';
import { CloseCode, type Millis, type Scheduler, type Timer } from '@wirebeat/core';
import type { GatewayEnd } from '../events.ts';
import { encodeClose } from '../frames/frame.ts';
import { FrameError } from '../frames/frame-error.ts';
import { FramePipe } from './frame-pipe.ts';
import { otherOf, SIDES, type Side } from './side.ts';
import type { Line } from './side-heartbeat.ts';

/** How long the last bytes of a connection that the gateway ends may take to leave. */
const LEAVE_WAIT: Millis = 1_000;

/** What is told to either end as the gateway ends a connection: a Close frame, or nothing. */
export type Farewell = {
  readonly [Name in Side]?: readonly [code: number, text: string];
};

/** What one read has brought. */
export interface Traffic {
  readonly bytes: number;
  readonly frames: number;
  /** Whether a message was among them, or a part of one. */
  readonly hasMessage: boolean;
}

/** What a {@link Tunnel} tells. */
export interface TunnelPort {
  /** Bytes are about to be looked at. */
  received(side: Side): void;
  /** A short text message that may be a beat. Whether it is taken. */
  receiveText(side: Side, text: string): boolean;
  /** A control frame. Whether it is taken. */
  receiveControl(side: Side, opcode: number, payload: Buffer): boolean;
  /** They have been looked at, and gone on. */
  passed(side: Side, traffic: Traffic): void;
  faulted(error: FrameError): void;
  /** A side is read from again: the other takes bytes again. */
  resumed(side: Side): void;
  /** It is going to end, for this reason. Told once. */
  decided(end: GatewayEnd): void;
  /** Both sides have closed. Told once, after that. */
  ended(end: GatewayEnd): void;
}

/** Of what a {@link Tunnel} is made. */
export interface TunnelParts {
  readonly sockets: Readonly<Record<Side, Duplex>>;
  readonly scheduler: Scheduler;
  readonly maxMessageBytes: number;
  readonly closeTimeout: Millis;
}

/** The two sockets of a connection, the flows between them, and how they end. */
export class Tunnel {
  readonly #parts: TunnelParts;
  readonly #watcher: TunnelPort;
  readonly #flows: Readonly<Record<Side, FramePipe>>; // by where they come from
  readonly #open: Set<Side> = new Set(SIDES);
  #end: GatewayEnd | undefined;
  #timer: Timer | undefined;

  constructor(parts: TunnelParts, watcher: TunnelPort) {
    this.#parts = parts;
    this.#watcher = watcher;
    this.#flows = { page: this.#flowFrom('page'), upstream: this.#flowFrom('upstream') };
  }

  /** Begins to read both sides, though nothing is read before the next turn of the loop. */
  listen(): void {
    for (const side of SIDES) this.#listen(side);
  }

  /** Takes what came behind the handshakes. */
  take(heads: Readonly<Record<Side, Buffer>>): void {
    for (const side of SIDES) if (heads[side].length > 0) this.#read(side, heads[side]);
  }

  /** Puts a frame between those that go to a side. */
  insert(to: Side, frame: Buffer, options?: Parameters<FramePipe['insert']>[1]): void {
    this.#flows[otherOf(to)].insert(frame, options);
  }

  bytesFrom(side: Side): number {
    return this.#flows[side].bytesRead;
  }

  /** What a heartbeat looks at. */
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

  /** Whether it is decided how this ends. */
  get isEnding(): boolean {
    return this.#end !== undefined;
  }

  /** A side has said why it closes. What it sends before that still goes on. */
  decide(end: GatewayEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#watcher.decided(end);
  }

  /**
   * The gateway ends it. Where a frame is half sent, no Close frame can follow it: that side sees
   * 1006.
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

  /** Drops one side at once: nobody is there. */
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
    if (flow.isShut) return flow.read(chunk); // and dropped
    const { frames, messages } = flow;
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

  /** It takes bytes again, so the other side is read again. */
  #drained(side: Side): void {
    const other = otherOf(side);
    if (this.#flows[other].drained()) this.#watcher.resumed(other);
  }

  /** A Close frame has gone on. After the second, RFC 6455 §7.1.1 has the server close first. */
  #closePassed(): void {
    this.#limit(this.#parts.closeTimeout);
    if (SIDES.every((side) => this.#flows[side].isShut)) this.#parts.sockets.page.end();
  }

  /** One side will send nothing more: a WebSocket has no half of a connection. */
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

  /** Whoever is still there after this time is dropped. */
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
