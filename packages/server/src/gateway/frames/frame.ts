import { randomFillSync } from 'node:crypto';

/** Opcodes: RFC 6455 §5.2. */
export const Opcode = {
  Continuation: 0x0,
  Text: 0x1,
  Binary: 0x2,
  Close: 0x8,
  Ping: 0x9,
  Pong: 0xa,
} as const;

/**
 * Largest payload of a control frame in bytes: RFC 6455 §5.5. Application pings and pongs have the same
 * limit.
 */
export const MAX_CONTROL_BYTES = 125;
/** Largest frame header in bytes: 2, a length of 8, and a mask of 4. RFC 6455 §5.2. */
export const MAX_HEADER_BYTES = 14;
export const MASK_BYTES = 4;

const POOL_BYTES = 4_096; // random bytes for a thousand masks per call of the system's random source
let pool: Buffer | undefined;
let drawn = POOL_BYTES;

/**
 * Encodes a complete frame with a payload of at most 125 bytes. Frames to an upstream are masked with
 * an unpredictable key: RFC 6455 §5.3.
 */
export function encodeFrame(opcode: number, payload: Uint8Array, isMasked: boolean): Buffer {
  const start = isMasked ? 2 + MASK_BYTES : 2;
  const frame = Buffer.allocUnsafe(start + payload.length);
  frame[0] = 0x80 | opcode;
  frame[1] = isMasked ? 0x80 | payload.length : payload.length;
  frame.set(payload, start);
  if (isMasked) {
    drawMask(frame);
    applyMask(frame.subarray(start), frame.subarray(2, start));
  }
  return frame;
}

/** Encodes a Close frame: RFC 6455 §5.5.1. Truncates the reason to fit. */
export function encodeClose(code: number, text: string, isMasked: boolean): Buffer {
  const payload = Buffer.alloc(MAX_CONTROL_BYTES);
  payload.writeUInt16BE(code);
  const written = payload.write(text, 2); // writes only complete characters
  return encodeFrame(Opcode.Close, payload.subarray(0, 2 + written), isMasked);
}

/** Masks or unmasks in place: RFC 6455 §5.3. */
export function applyMask(payload: Uint8Array, mask: Uint8Array): void {
  for (let index = 0; index < payload.length; index += 1) {
    payload[index] = (payload[index] as number) ^ (mask[index & 3] as number);
  }
}

function drawMask(frame: Buffer): void {
  if (pool === undefined || drawn === POOL_BYTES) {
    pool = randomFillSync(pool ?? Buffer.alloc(POOL_BYTES));
    drawn = 0;
  }
  pool.copy(frame, 2, drawn, drawn + MASK_BYTES);
  drawn += MASK_BYTES;
}
