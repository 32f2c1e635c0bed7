import type { Duplex } from 'node:stream';
import { CloseCode, type Millis, type Scheduler, type Timer } from '@wirebeat/core';
import type { Ending } from '../close-codes.ts';
import type { GatewayEnd } from '../events.ts';
import { encodeClose } from '../frames/frame.ts';
import { FrameError } from '../frames/frame-error.ts';
import { FramePipe } from './frame-pipe.ts';
import { otherOf, SIDES, type Side } from './side.ts';
import { TunnelSide } from './tunnel-side.ts';

/** How long the last bytes of a connection that the gateway closes may take to be sent, in ms. */
const LEAVE_WAIT: Millis = 1_000;

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
  /**
   * The bytes have been parsed and passed on. `hasMessage`: they contained a message or a part of one.
   */
  passed(side: Side, bytes: number, frames: number, hasMessage: boolean): void;
  faulted(error: FrameError): void;
  /** The connection is going to end. Called once. Returns the end to report. */
  decided(end: GatewayEnd): GatewayEnd;
  /** Both sides have closed. Called once, at the end. */
  ended(end: GatewayEnd): void;
}

/** What the tunnels of one gateway share. */
export interface TunnelContext {
  readonly scheduler: Scheduler;
  readonly maxMessageBytes: number;
  readonly closeTimeout: Millis;
}

/** The two sockets of a connection, the frame pipes between them, and how they close. */
export class Tunnel {
  readonly sides: Readonly<Record<Side, TunnelSide>>;
  readonly #context: TunnelContext;
  readonly #port: TunnelPort;
  readonly #open: Set<Side> = new Set(SIDES);
  #end: GatewayEnd | undefined;
  #timer: Timer | undefined;

  constructor(sockets: Readonly<Record<Side, Duplex>>, context: TunnelContext, port: TunnelPort) {
    this.#context = context;
    this.#port = port;
    const { page, upstream } = sockets;
    const up = this.#pipe('page', page, upstream);
    const down = this.#pipe('upstream', upstream, page);
    const { scheduler } = context;
    this.sides = {
      page: new TunnelSide(up, down, scheduler),
      upstream: new TunnelSide(down, up, scheduler),
    };
  }

  /** Starts to read both sides. Nothing is read before the next turn of the event loop. */
  listen(): void {
    for (const side of SIDES) this.#listen(side);
  }

  /** Passes on the bytes that followed the handshakes. */
  take(heads: Readonly<Record<Side, Buffer>>): void {
    for (const side of SIDES) if (heads[side].length > 0) this.#read(side, heads[side]);
  }

  /** Whether the connection is ending. */
  get isEnding(): boolean {
    return this.#end !== undefined;
  }

  /** Sets the reason of the end. What a side has sent before its Close frame is still passed on. */
  decide(end: GatewayEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#end = this.#port.decided(end);
  }

  /**
   * Closes the connection from the gateway. A Close frame cannot follow a partly sent frame: that side
   * sees 1006.
   */
  finish({ end, closeFrames }: Ending): void {
    this.decide(end);
    for (const side of SIDES) {
      const close = closeFrames[side];
      const { outgoing, socket } = this.sides[side];
      outgoing.shut(close && encodeClose(...close, side === 'upstream'));
      socket.end();
    }
    this.#limit(LEAVE_WAIT);
  }

  /** Drops one side at once, without a closing handshake. */
  drop(side: Side): void {
    this.sides[side].socket.destroy();
  }

  #pipe(side: Side, source: Duplex, sink: Duplex): FramePipe {
    const { maxMessageBytes } = this.#context;
    return new FramePipe(
      { side, source, sink, maxMessageBytes },
      {
        receiveText: (text) => this.#port.receiveText(side, text),
        receiveControl: (opcode, payload) => this.#port.receiveControl(side, opcode, payload),
        closed: () => this.#closePassed(),
      },
    );
  }

  #listen(side: Side): void {
    const { socket, outgoing } = this.sides[side];
    socket.on('data', (chunk: Buffer) => this.#read(side, chunk));
    socket.on('drain', () => outgoing.drained()); // reads the other side again
    socket.on('end', () => this.#ended(side));
    socket.on('error', (error) => this.decide(abnormal(side, error)));
    socket.on('close', () => this.#closed(side));
  }

  #read(side: Side, chunk: Buffer): void {
    const { incoming: pipe } = this.sides[side];
    if (pipe.isShut) return pipe.read(chunk); // which discards it
    const { frames, messages } = pipe;
    this.sides[side].received();
    this.sides[otherOf(side)].sent();
    this.#port.received(side);
    try {
      pipe.read(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#port.faulted(error);
    }
    const hasMessage = pipe.messages > messages || pipe.isWithinFrame;
    this.#port.passed(side, chunk.length, pipe.frames - frames, hasMessage);
  }

  /**
   * A Close frame has been passed on. After the second one, the server closes first: RFC 6455 §7.1.1.
   */
  #closePassed(): void {
    this.#limit(this.#context.closeTimeout);
    const { page, upstream } = this.sides;
    if (page.incoming.isShut && upstream.incoming.isShut) page.socket.end();
  }

  /** One side will send nothing more. A WebSocket cannot be half open, so both sides end. */
  #ended(side: Side): void {
    this.decide(abnormal(side));
    this.#limit(this.#context.closeTimeout);
    for (const { incoming, socket } of Object.values(this.sides)) {
      incoming.shut();
      socket.end();
    }
  }

  #closed(side: Side): void {
    if (!this.#open.delete(side)) return;
    this.#ended(side);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#port.ended(this.#end as GatewayEnd);
  }

  /** Drops the sides that are still open after this time. */
  #limit(within: Millis): void {
    const { scheduler } = this.#context;
    this.#timer ??= scheduler.at(scheduler.now() + within, () => {
      for (const side of SIDES) this.drop(side);
    });
  }
}

function abnormal(by: Side, error?: Error): GatewayEnd {
  return { reason: 'abnormal', code: CloseCode.Abnormal, text: '', by, error };
}
