// Frames as bytes, right or wrong: RFC 6455 §5.2.
import { applyMask } from '../../src/gateway/frames/frame.ts';

/** The parts of a frame. What is absent is as it must be. */
export interface FrameParts {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isFinal?: boolean;
  /** Four bytes; absent: not masked. */
  readonly mask?: readonly number[] | undefined;
  /** Bits of 0x70. */
  readonly reserved?: number;
  /** What the header says of the length. */
  readonly claimed?: number | bigint;
  /** In how many bytes it says so, beside the seven bits. */
  readonly extended?: 0 | 2 | 8;
}

export const MASK = [0x37, 0xfa, 0x21, 0x3d];

export function frameOf({
  opcode,
  payload = '',
  isFinal = true,
  mask,
  reserved = 0,
  claimed,
  extended,
}: FrameParts): Buffer {
  const bytes = Buffer.from(payload as string);
  const length = claimed ?? bytes.length;
  const size = extended ?? (length < 126 ? 0 : length < 0x1_0000 ? 2 : 8);
  const header = Buffer.alloc(2 + size);
  header[0] = (isFinal ? 0x80 : 0) | reserved | opcode;
  header[1] =
    (mask === undefined ? 0 : 0x80) | (size === 0 ? Number(length) : size === 2 ? 126 : 127);
  if (size === 2) header.writeUInt16BE(Number(length), 2);
  if (size === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (mask === undefined) return Buffer.concat([header, bytes]);
  applyMask(bytes, Buffer.from(mask));
  return Buffer.concat([header, Buffer.from(mask), bytes]);
}

/** A frame as it came. */
export interface SeenFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

/** Reads whole frames, of any length, masked or not. Knows no rule. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  read(chunk: Buffer): SeenFrame[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: SeenFrame[] = [];
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame);
    return frames;
  }

  /** Whether the last frame is whole. */
  get isAtBoundary(): boolean {
    return this.#bytes.length === 0;
  }

  #take(): SeenFrame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const size = short === 126 ? 2 : short === 127 ? 8 : 0;
    const masked = second >= 0x80 ? 4 : 0;
    const start = 2 + size + masked;
    if (bytes.length < start) return undefined;
    const length =
      size === 0 ? short : size === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < start + length) return undefined;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (masked > 0) applyMask(payload, bytes.subarray(start - 4, start));
    this.#bytes = bytes.subarray(start + length);
    return { opcode: first & 0x0f, isFinal: first >= 0x80, payload };
  }
}
