import { isUtf8 } from 'node:buffer';
import { CloseCode } from '@wirebeat/core';
import type { Side } from '../tunnel/side.ts';
import { FrameError, FrameFault } from './frame-error.ts';

/** The content of a Close frame. */
export interface CloseFrame {
  /** Close code; 1005 if the frame contains none. */
  readonly code: number;
  readonly text: string;
}

/**
 * Codes that must not be sent: RFC 6455 §7.4.1. All codes above 1014 and below 3000 are reserved as
 * well.
 */
const RESERVED: ReadonlySet<number> = new Set([1004, CloseCode.NoStatus, CloseCode.Abnormal]);

/**
 * Decodes the payload of a Close frame: RFC 6455 §5.5.1.
 *
 * @throws {FrameError} if the payload is invalid.
 */
export function readClose(payload: Buffer, side: Side): CloseFrame {
  if (payload.length === 0) return { code: CloseCode.NoStatus, text: '' };
  if (payload.length === 1) {
    throw new FrameError(side, FrameFault.Protocol, '§5.5.1: a close code of one byte');
  }
  const code = payload.readUInt16BE();
  if (!mayBeSent(code)) {
    throw new FrameError(side, FrameFault.Protocol, `§7.4: the close code ${code}`);
  }
  const text = payload.subarray(2);
  if (!isUtf8(text)) {
    throw new FrameError(side, FrameFault.Data, '§5.5.1: a close reason that is not UTF-8');
  }
  return { code, text: text.toString() };
}

/** Returns whether this code may be sent in a Close frame. */
export function mayBeSent(code: number): boolean {
  if (!Number.isInteger(code) || RESERVED.has(code)) return false;
  return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}
