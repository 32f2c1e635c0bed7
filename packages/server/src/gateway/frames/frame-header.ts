import type { Side } from '../tunnel/side.ts';
import { MASK_BYTES, MAX_CONTROL_BYTES, Opcode } from './frame.ts';
import { FrameError, FrameFault } from './frame-error.ts';

/** Number of bytes of the extended length, if the seven bits are 126 or 127. */
const EXTENDED = { 126: 2, 127: 8 } as const;

/**
 * Parses the frame headers of one side, one after another: RFC 6455 §5.2. Its fields describe the last
 * header read, so that no object is created per frame.
 */
export class FrameHeader {
  opcode = 0;
  isFinal = true;
  /** Length of the header in bytes. */
  size = 0;
  /** Length of the payload in bytes. */
  length = 0;
  /** Whether a fragmented message is still open after this frame. */
  isWithin = false;
  readonly #side: Side;
  readonly #maxMessageBytes: number;
  readonly #mask: number; // required value of the mask bit
  #messageBytes = 0; // length of the fragments so far

  constructor(side: Side, maxMessageBytes: number) {
    this.#side = side;
    this.#mask = side === 'page' ? 0x80 : 0; // §5.1: a client masks its frames, a server does not
    this.#maxMessageBytes = maxMessageBytes;
  }

  get isControl(): boolean {
    return this.opcode >= Opcode.Close;
  }

  /**
   * Parses the header that begins at `at`. Returns `false` if the header is incomplete.
   *
   * @throws {FrameError} if the header violates the protocol.
   */
  read(bytes: Buffer, at: number): boolean {
    if (bytes.length - at < 2) return false;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    const short = second & 0x7f;
    const extended = short < 126 ? 0 : EXTENDED[short as 126 | 127];
    this.opcode = first & 0x0f;
    this.isFinal = first >= 0x80;
    // Checked before the header is complete: after invalid bytes, the rest may never arrive.
    this.#checkBits(first, second);
    this.size = 2 + extended + (this.#mask === 0 ? 0 : MASK_BYTES);
    if (bytes.length - at < this.size) return false;
    this.length = extended === 0 ? short : this.#readLength(bytes, at + 2, extended);
    if (!this.isControl) this.#checkSize();
    return true;
  }

  /** Accepts the frame that was just read: updates the state of the current message. */
  enter(): void {
    if (this.isControl) return;
    this.isWithin = !this.isFinal;
    this.#messageBytes = this.isFinal ? 0 : this.#messageBytes + this.length;
  }

  #checkBits(first: number, second: number): void {
    const { opcode } = this;
    if ((first & 0x70) !== 0) this.#fail('§5.2: a reserved bit is set, and no extension is agreed');
    if ((second & 0x80) !== this.#mask) {
      this.#fail(`§5.1: it is ${this.#mask === 0 ? 'masked' : 'not masked'}`);
    }
    if (opcode > Opcode.Pong || (opcode > Opcode.Binary && opcode < Opcode.Close)) {
      this.#fail(`§5.2: the opcode ${opcode}`);
    }
    if (opcode >= Opcode.Close) {
      if (!this.isFinal) this.#fail('§5.5: a control frame in fragments');
      if ((second & 0x7f) > MAX_CONTROL_BYTES) this.#fail('§5.5: a control frame too long');
    } else if ((opcode === Opcode.Continuation) !== this.isWithin) {
      this.#fail(this.isWithin ? '§5.4: a message within another' : '§5.4: nothing to continue');
    }
  }

  #readLength(bytes: Buffer, at: number, size: 2 | 8): number {
    const length = size === 2 ? bytes.readUInt16BE(at) : Number(bytes.readBigUInt64BE(at));
    if (length >= 2 ** 63) this.#fail('§5.2: the highest bit of a length is set');
    if (length < (size === 2 ? 126 : 0x1_0000))
      this.#fail('§5.2: a length in more bytes than needed');
    return length;
  }

  #checkSize(): void {
    const length = this.#messageBytes + this.length;
    // The largest length that a number counts exactly.
    const max = Math.min(this.#maxMessageBytes, Number.MAX_SAFE_INTEGER);
    if (length <= max) return;
    throw new FrameError(
      this.#side,
      FrameFault.TooBig,
      `a message of ${length} bytes or more, where ${max} are allowed`,
    );
  }

  #fail(rule: string): never {
    throw new FrameError(this.#side, FrameFault.Protocol, rule);
  }
}
