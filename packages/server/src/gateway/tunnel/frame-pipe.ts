import type { Duplex } from 'node:stream';
import { mayBeginBeat } from '@wirebeat/core';
import { applyMask, MASK_BYTES, MAX_CONTROL_BYTES, Opcode } from '../frames/frame.ts';
import { FrameHeader } from '../frames/frame-header.ts';
import type { Side } from './side.ts';

/**
 * While more bytes than this wait to be sent, the pipe reads and inserts nothing; or more than the
 * `highWaterMark` of the sink, if that is larger.
 */
const MAX_WAITING_BYTES = 65_536; // the size of one read
/**
 * Empty fragments are dropped beyond this many held bytes. Fragments with content are 875 bytes at
 * most.
 */
const MAX_FRAGMENT_BYTES = 1_024;

const EMPTY: Buffer = Buffer.alloc(0);

/** Receives what may be a heartbeat. Frames that it claims are not passed on. */
export interface FramePipePort {
  /**
   * A short text message that may be a heartbeat, complete or joined from its fragments. Returns
   * whether to claim it.
   */
  receiveText(text: string): boolean;
  /** A control frame. Returns whether to claim it. */
  receiveControl(opcode: number, payload: Buffer): boolean;
  /** A Close frame has been passed on, and nothing will follow it. */
  closed(): void;
}

/** How to insert a frame into the traffic. */
export interface InsertOptions {
  /**
   * A message waits until no other message is open; a control frame may be inserted between fragments:
   * RFC 6455 §5.4.
   */
  readonly isMessage?: boolean | undefined;
  /** A later frame with the same slot replaces the earlier one. */
  readonly slot?: string | undefined;
}

/** A frame to insert into the traffic. */
interface Insertion extends InsertOptions {
  frame: Buffer;
}

/** The fragments so far of a text message that may be a heartbeat. */
interface Fragments {
  /** The frames as received. */
  bytes: Buffer;
  count: number;
  /** Their joined text. */
  text: string;
}

/** The ends of a {@link FramePipe}. */
export interface FramePipeEnds {
  /** The side of the source. */
  readonly side: Side;
  readonly source: Duplex;
  readonly sink: Duplex;
  readonly maxMessageBytes: number;
}

/**
 * One direction of a connection: parses the frame headers and passes the bytes on unchanged, including
 * masks. It shows control frames and possible heartbeats to the port first. It does not look into, copy
 * or keep anything else. When the sink accepts no more bytes, the pipe stops reading.
 *
 * A heartbeat may be fragmented: RFC 6455 §5.4. Fragments of a text that may be a heartbeat are held
 * until that is known. Control frames between them overtake them. Receivers of messages cannot notice
 * that, because the message is complete only with its last fragment.
 */
export class FramePipe {
  /** Number of frames received. */
  frames = 0;
  /** Number of those that were messages or parts of messages and were passed on. */
  messages = 0;
  bytesRead = 0;
  /** Bytes written to the sink. */
  bytesWritten = 0;
  /** Whether reading is paused because the sink accepts no more bytes. */
  isPaused = false;
  /** Whether the pipe is shut and passes nothing on. */
  isShut = false;
  readonly ends: FramePipeEnds;
  readonly #port: FramePipePort;
  readonly #header: FrameHeader;
  readonly #waiting: Insertion[] = [];
  #held: Buffer | undefined; // an incomplete frame or header: 139 bytes at most
  #fragments: Fragments | undefined;
  #remaining = 0; // remaining bytes of the current payload
  #isCorked = false;
  #bytes: Buffer = EMPTY; // the bytes of the current read
  #at = 0; // offset of the next frame
  #passed = 0; // offset up to which bytes are passed on

  constructor(ends: FramePipeEnds, port: FramePipePort) {
    this.ends = ends;
    this.#port = port;
    this.#header = new FrameHeader(ends.side, ends.maxMessageBytes);
  }

  /** Whether a frame is partly passed on, so that nothing can be inserted. */
  get isWithinFrame(): boolean {
    return this.#remaining > 0;
  }

  /**
   * Parses and passes on the bytes of one read.
   *
   * @throws {FrameError} if the bytes violate the protocol; the frames before them are passed on.
   */
  read(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    if (this.isShut) return;
    this.#bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    this.#passed = 0;
    this.#at = Math.min(this.#remaining, this.#bytes.length);
    this.#remaining -= this.#at;
    try {
      while (this.#remaining === 0 && this.#at < this.#bytes.length && this.#readFrame());
    } finally {
      this.#settle();
    }
  }

  /** Inserts a frame into the traffic at the first possible place. */
  insert(frame: Buffer, { isMessage, slot }: InsertOptions = {}): void {
    if (this.isShut) return;
    const same = slot === undefined ? undefined : this.#waiting.find((one) => one.slot === slot);
    if (same === undefined) this.#waiting.push({ frame, isMessage, slot });
    else same.frame = frame;
    this.#insertWaiting();
  }

  /** Shuts the pipe, with this Close frame if it can be sent. Returns whether it could be sent. */
  shut(close?: Buffer): boolean {
    const canBe = !this.isShut && this.#remaining === 0;
    if (close !== undefined && canBe) this.#write(close);
    this.isShut = true;
    this.#held = this.#fragments = undefined;
    this.#waiting.length = 0;
    if (this.isPaused) this.#setPaused(false); // further bytes are read and discarded
    return canBe;
  }

  /** The sink accepts bytes again. */
  drained(): void {
    this.#insertWaiting();
    if (this.isPaused) this.#setPaused(false);
  }

  /** Reads one frame, or the part that has arrived. Returns `false` if more bytes are needed. */
  #readFrame(): boolean {
    if (this.isShut) return false;
    if (this.#waiting.length > 0) this.#insertWaiting();
    const bytes = this.#bytes;
    const header = this.#header;
    if (!header.read(bytes, this.#at)) return false;
    const end = this.#at + header.size + header.length;
    const isShown = header.isControl || this.#mayBeBeat();
    if (isShown === undefined || (isShown && end > bytes.length)) return false;
    header.enter();
    this.frames += 1;
    if (isShown) return this.#show(end);
    this.#release();
    this.messages += 1;
    this.#at = Math.min(end, bytes.length);
    this.#remaining = end - this.#at;
    return true;
  }

  /**
   * Returns whether the frame may be a heartbeat or a part of one, or `undefined` if more bytes are
   * needed.
   */
  #mayBeBeat(): boolean | undefined {
    const { opcode, isFinal, length, size } = this.#header;
    const before = this.#fragments?.text.length ?? 0;
    const isNext = opcode === Opcode.Continuation && this.#fragments !== undefined;
    if (!isNext && opcode !== Opcode.Text) return false;
    if (before + length > MAX_CONTROL_BYTES) return false;
    if (before > 0) return true; // its first byte has been checked
    if (length === 0) return !isFinal;
    const payload = this.#at + size;
    if (payload >= this.#bytes.length) return undefined;
    const mask = this.ends.side === 'page' ? (this.#bytes[payload - MASK_BYTES] as number) : 0;
    return mayBeginBeat((this.#bytes[payload] as number) ^ mask);
  }

  #show(end: number): boolean {
    const { opcode, size, isControl, isFinal } = this.#header;
    this.#pass(); // earlier bytes must be passed on before the effects of this frame
    const start = this.#at + size;
    const payload = Buffer.from(this.#bytes.subarray(start, end));
    if (this.ends.side === 'page') {
      applyMask(payload, this.#bytes.subarray(start - MASK_BYTES, start));
    }
    if (!isControl && (this.#fragments !== undefined || !isFinal)) this.#join(payload, end);
    else this.#take(opcode, payload, end);
    return true;
  }

  #take(opcode: number, payload: Buffer, end: number): void {
    const isTaken =
      opcode === Opcode.Text
        ? this.#port.receiveText(payload.toString('latin1')) // a heartbeat is ASCII
        : this.#port.receiveControl(opcode, payload);
    this.#at = end;
    if (isTaken) this.#passed = end;
    else if (opcode === Opcode.Text) this.messages += 1;
    else if (opcode === Opcode.Close) this.#end(end);
  }

  /** Holds a fragment of a possible heartbeat. The last fragment decides what it is. */
  #join(payload: Buffer, end: number): void {
    const { isFinal } = this.#header;
    const frame = this.#bytes.subarray(this.#at, end);
    this.#at = this.#passed = end;
    this.#fragments ??= { bytes: EMPTY, count: 0, text: '' };
    const fragments = this.#fragments;
    fragments.text += payload.toString('latin1');
    // An empty fragment has no content. §5.4 allows an intermediary to drop it, and dropping it limits
    // memory.
    const isNeeded = payload.length > 0 || isFinal || fragments.bytes.length < MAX_FRAGMENT_BYTES;
    if (isNeeded) {
      fragments.bytes = copyOf(fragments.bytes, frame);
      fragments.count += 1;
    }
    if (!isFinal) return;
    if (this.#port.receiveText(fragments.text)) this.#fragments = undefined;
    else this.#release();
  }

  /** Passes the held fragments on, because they are not a heartbeat. */
  #release(): void {
    const fragments = this.#fragments;
    if (fragments === undefined) return;
    this.#fragments = undefined;
    if (this.isShut) return;
    this.#pass(); // control frames between the fragments go first
    this.messages += fragments.count;
    this.#write(fragments.bytes);
  }

  /** §5.5.1: nothing follows a Close frame. */
  #end(end: number): void {
    this.#at = this.#passed;
    this.#release(); // an incomplete message
    this.#at = end;
    this.#pass();
    this.isShut = true;
    this.#waiting.length = 0;
    this.#port.closed();
  }

  /** Passes on what was parsed, and keeps the incomplete rest. */
  #settle(): void {
    this.#pass();
    const { length } = this.#bytes;
    if (this.#at < length && !this.isShut) this.#held = copyOf(this.#bytes.subarray(this.#at));
    this.#bytes = EMPTY;
    this.#at = this.#passed = 0;
    if (this.#waiting.length > 0) this.#insertWaiting();
    if (this.#isCorked) this.ends.sink.uncork();
    this.#isCorked = false;
    if (this.#isFull && !this.isPaused) this.#setPaused(true);
  }

  /** Whether to wait for `drain`: a sink emits it only after it was filled to its `highWaterMark`. */
  get #isFull(): boolean {
    const { sink } = this.ends;
    return sink.writableLength > MAX_WAITING_BYTES && sink.writableNeedDrain;
  }

  #pass(): void {
    if (this.#at <= this.#passed || this.isShut) return;
    const isAll = this.#passed === 0 && this.#at === this.#bytes.length;
    this.#write(isAll ? this.#bytes : this.#bytes.subarray(this.#passed, this.#at));
    this.#passed = this.#at;
  }

  #insertWaiting(): void {
    if (this.#remaining > 0 || this.#isFull) return;
    const { isWithin } = this.#header;
    for (let index = 0; index < this.#waiting.length; ) {
      const { frame, isMessage } = this.#waiting[index] as Insertion;
      if (isMessage && isWithin) index += 1;
      else {
        this.#pass();
        this.#waiting.splice(index, 1);
        this.#write(frame);
      }
    }
  }

  #write(bytes: Buffer): void {
    const { sink } = this.ends;
    if (!sink.writable) return;
    if (bytes !== this.#bytes && !this.#isCorked && this.#bytes !== EMPTY) {
      this.#isCorked = true; // more pieces of the same read follow
      sink.cork();
    }
    this.bytesWritten += bytes.length;
    sink.write(bytes);
  }

  #setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    if (isPaused) this.ends.source.pause();
    else this.ends.source.resume();
  }
}

/**
 * Returns a separate copy. The bytes of a read are slices of large blocks, and a slice keeps its whole
 * block in memory.
 */
function copyOf(...parts: readonly Buffer[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(copy, at);
  return copy;
}
