import type { Duplex } from 'node:stream';
import { mayBeginBeat } from '@wirebeat/core';
import { applyMask, MASK_BYTES, MAX_CONTROL_BYTES, Opcode } from '../frames/frame.ts';
import { FrameHeader } from '../frames/frame-header.ts';
import type { Side } from './side.ts';

/** With more waiting to leave, no more is read, and nothing is put in. */
const MAX_WAITING_BYTES = 65_536; // as much as one read brings
/** Bytes of held fragments beyond which empty ones are left out: those that say something are 875 at most. */
const MAX_FRAGMENT_BYTES = 1_024;

const EMPTY: Buffer = Buffer.alloc(0);

/** What a {@link FramePipe} shows of what it carries. What it takes goes no further. */
export interface FramePipePort {
  /** A short text message that may be a beat, whole or joined from its fragments. Whether it is taken. */
  receiveText(text: string): boolean;
  /** A control frame. Whether it is taken. */
  receiveControl(opcode: number, payload: Buffer): boolean;
  /** A Close frame has gone on, and nothing does after it. */
  closed(): void;
}

/** Where something may be put between the frames that are carried. */
interface Insertion {
  frame: Buffer;
  /** A message waits until none is open; a control frame may go between fragments: RFC 6455 §5.4. */
  readonly isMessage: boolean;
  /** Of two with the same, the later stands for both. */
  readonly slot: string | undefined;
}

/** The fragments so far of a text message that may become a beat. */
interface Fragments {
  /** The frames as they came. */
  bytes: Buffer;
  count: number;
  /** What they say together. */
  text: string;
}

/** What a {@link FramePipe} is between. */
export interface FramePipeEnds {
  /** What it comes from. */
  readonly side: Side;
  readonly source: Duplex;
  readonly sink: Duplex;
  readonly maxMessageBytes: number;
}

/**
 * One direction of a connection: reads the headers of frames and hands the bytes on as they came,
 * masks and all. Control frames and what may be a beat are shown to the watcher first; nothing else
 * is looked into, copied or kept. When the other end takes nothing more, nothing more is read.
 *
 * A beat is a beat in fragments too, RFC 6455 §5.4. Fragments of a text that may become one are held until
 * that is known. Control frames between them go ahead, which no receiver of messages can see: the
 * message is complete only with its last fragment.
 */
export class FramePipe {
  /** How many frames came. */
  frames = 0;
  /** How many of them were messages, or parts of messages, and went on. */
  messages = 0;
  bytesRead = 0;
  /** Bytes that were handed to the other end's socket. */
  bytesWritten = 0;
  /** Whether nothing is read because the other end takes nothing. */
  isPaused = false;
  readonly #ends: FramePipeEnds;
  readonly #watcher: FramePipePort;
  readonly #header: FrameHeader;
  readonly #waiting: Insertion[] = [];
  #held: Buffer | undefined; // a frame or header that is not all there: 139 bytes at most
  #fragments: Fragments | undefined;
  #rest = 0; // of the payload that is being carried
  #isShut = false;
  #isCorked = false;
  #bytes: Buffer = EMPTY; // that are being read
  #at = 0; // how far
  #passed = 0; // up to where they are handed on

  constructor(ends: FramePipeEnds, watcher: FramePipePort) {
    this.#ends = ends;
    this.#watcher = watcher;
    this.#header = new FrameHeader(ends.side, ends.maxMessageBytes);
  }

  /** Whether a frame has been handed on in part: then nothing can be put in. */
  get isWithinFrame(): boolean {
    return this.#rest > 0;
  }

  /** Whether nothing goes on any more. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** Bytes came. @throws {FrameError} if they break a rule; what came before has gone on. */
  read(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    if (this.#isShut) return;
    this.#bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    this.#passed = 0;
    this.#at = Math.min(this.#rest, this.#bytes.length);
    this.#rest -= this.#at;
    try {
      while (this.#rest === 0 && this.#at < this.#bytes.length && this.#readFrame());
    } finally {
      this.#settle();
    }
  }

  /** Puts a frame between those that are carried, at the first place where it may stand. */
  insert(frame: Buffer, { isMessage = false, slot }: Partial<Omit<Insertion, 'frame'>> = {}): void {
    if (this.#isShut) return;
    const same = slot === undefined ? undefined : this.#waiting.find((one) => one.slot === slot);
    if (same === undefined) this.#waiting.push({ frame, isMessage, slot });
    else same.frame = frame;
    this.#putIn();
  }

  /** Ends the flow, by this frame if it can be sent. Whether it could. */
  shut(close?: Buffer): boolean {
    const canBe = !this.#isShut && this.#rest === 0;
    if (close !== undefined && canBe) this.#write(close);
    this.#isShut = true;
    this.#held = this.#fragments = undefined;
    this.#waiting.length = 0;
    if (this.isPaused) this.#resume(); // what still comes is read, and dropped
    return canBe;
  }

  /** The other end takes bytes again. Whether that ends a pause. */
  drained(): boolean {
    this.#putIn();
    if (!this.isPaused) return false;
    this.#resume();
    return true;
  }

  /** Reads one frame as far as it is there. False if it is not there far enough. */
  #readFrame(): boolean {
    if (this.#isShut) return false;
    if (this.#waiting.length > 0) this.#putIn();
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
    this.#rest = end - this.#at;
    return true;
  }

  /** Whether the frame may be a beat or a part of one. Undefined if that is not told yet. */
  #mayBeBeat(): boolean | undefined {
    const { opcode, isFinal, length, size } = this.#header;
    const before = this.#fragments?.text.length ?? 0;
    const isNext = opcode === Opcode.Continuation && this.#fragments !== undefined;
    if (!isNext && opcode !== Opcode.Text) return false;
    if (before + length > MAX_CONTROL_BYTES) return false;
    if (before > 0) return true; // its first byte was looked at
    if (length === 0) return !isFinal;
    const payload = this.#at + size;
    if (payload >= this.#bytes.length) return undefined;
    return mayBeginBeat((this.#bytes[payload] as number) ^ this.#maskBefore(payload));
  }

  /** What the first byte of a payload is masked with. */
  #maskBefore(payload: number): number {
    return this.#ends.side === 'page' ? (this.#bytes[payload - MASK_BYTES] as number) : 0;
  }

  #show(end: number): boolean {
    const { opcode, size, isControl, isFinal } = this.#header;
    this.#pass(); // what came before is there before what comes of it
    const start = this.#at + size;
    const payload = Buffer.from(this.#bytes.subarray(start, end));
    if (this.#ends.side === 'page') {
      applyMask(payload, this.#bytes.subarray(start - MASK_BYTES, start));
    }
    if (!isControl && (this.#fragments !== undefined || !isFinal)) this.#join(payload, end);
    else this.#take(opcode, payload, end);
    return true;
  }

  #take(opcode: number, payload: Buffer, end: number): void {
    const isTaken =
      opcode === Opcode.Text
        ? this.#watcher.receiveText(payload.toString('latin1')) // a beat is ASCII
        : this.#watcher.receiveControl(opcode, payload);
    this.#at = end;
    if (isTaken) this.#passed = end;
    else if (opcode === Opcode.Text) this.messages += 1;
    else if (opcode === Opcode.Close) this.#end(end);
  }

  /** A fragment of what may be a beat: it is held, and with the last one that is decided. */
  #join(payload: Buffer, end: number): void {
    const { isFinal } = this.#header;
    const frame = this.#bytes.subarray(this.#at, end);
    this.#at = this.#passed = end;
    this.#fragments ??= { bytes: EMPTY, count: 0, text: '' };
    const fragments = this.#fragments;
    fragments.text += payload.toString('latin1');
    // An empty one says nothing. §5.4 lets an intermediary leave it out, and memory asks for it.
    const isNeeded = payload.length > 0 || isFinal || fragments.bytes.length < MAX_FRAGMENT_BYTES;
    if (isNeeded) {
      fragments.bytes = copyOf(fragments.bytes, frame);
      fragments.count += 1;
    }
    if (!isFinal) return;
    if (this.#watcher.receiveText(fragments.text)) this.#fragments = undefined;
    else this.#release();
  }

  /** What was held is no beat. */
  #release(): void {
    const fragments = this.#fragments;
    if (fragments === undefined) return;
    this.#fragments = undefined;
    if (this.#isShut) return;
    this.#pass(); // control frames between them have gone ahead
    this.messages += fragments.count;
    this.#write(fragments.bytes);
  }

  /** §5.5.1: nothing comes after a Close frame. */
  #end(end: number): void {
    this.#at = this.#passed;
    this.#release(); // half a message
    this.#at = end;
    this.#pass();
    this.#isShut = true;
    this.#waiting.length = 0;
    this.#watcher.closed();
  }

  /** Hands on what was read, and keeps what cannot be read yet. */
  #settle(): void {
    this.#pass();
    const { length } = this.#bytes;
    if (this.#at < length && !this.#isShut) this.#held = copyOf(this.#bytes.subarray(this.#at));
    this.#bytes = EMPTY;
    this.#at = this.#passed = 0;
    if (this.#waiting.length > 0) this.#putIn();
    if (this.#isCorked) this.#ends.sink.uncork();
    this.#isCorked = false;
    if (this.#ends.sink.writableLength > MAX_WAITING_BYTES && !this.isPaused) this.#pause();
  }

  #pass(): void {
    if (this.#at <= this.#passed || this.#isShut) return;
    const isAll = this.#passed === 0 && this.#at === this.#bytes.length;
    this.#write(isAll ? this.#bytes : this.#bytes.subarray(this.#passed, this.#at));
    this.#passed = this.#at;
  }

  #putIn(): void {
    if (this.#rest > 0 || this.#ends.sink.writableLength > MAX_WAITING_BYTES) return;
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
    const { sink } = this.#ends;
    if (!sink.writable) return;
    if (bytes !== this.#bytes && !this.#isCorked && this.#bytes !== EMPTY) {
      this.#isCorked = true; // more pieces of the same read follow
      sink.cork();
    }
    this.bytesWritten += bytes.length;
    sink.write(bytes);
  }

  #pause(): void {
    this.isPaused = true;
    this.#ends.source.pause();
  }

  #resume(): void {
    this.isPaused = false;
    this.#ends.source.resume();
  }
}

/** A copy of its own: what is read comes as slices of large blocks, and a slice keeps the whole block. */
function copyOf(...parts: readonly Buffer[]): Buffer {
  const copy = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) at += part.copy(copy, at);
  return copy;
}
