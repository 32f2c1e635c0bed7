import { isUtf8 } from 'node:buffer';
import { CloseCode } from '@wirebeat/core';
import type { Side } from '../tunnel/side.ts';
import { FrameError, FrameFault } from './frame-error.ts';

/** What a Close frame says. */
export interface CloseFrame {
  /** 1005 where it says nothing. */
  readonly code: number;
  readonly text: string;
}

/** What must not stand in a frame, RFC 6455 §7.4.1; all above 1014 and below 3000 is reserved. */
const RESERVED: ReadonlySet<number> = new Set([1004, CloseCode.NoStatus, CloseCode.Abnormal]);

/** @throws {FrameError} if it is none, RFC 6455 §5.5.1. */
export function readClose(payload: Buffer, side: Side): CloseFrame {
  if (payload.length === 0) return { code: CloseCode.NoStatus, text: '' };
  if (payload.length === 1) {
    throw new FrameError(side, FrameFault.Protocol, '§5.5.1: half a close code');
  }
  const code = payload.readUInt16BE();
  if (!mayBeSent(code)) {
    throw new FrameError(side, FrameFault.Protocol, `§7.4: the close code ${code}`);
  }
  const text = payload.subarray(2);
  if (!isUtf8(text)) {
    throw new FrameError(side, FrameFault.Data, '§5.5.1: a close reason that is no UTF-8');
  }
  return { code, text: text.toString() };
}

/** Whether this code may stand in a Close frame. */
export function mayBeSent(code: number): boolean {
  if (!Number.isInteger(code) || RESERVED.has(code)) return false;
  return (code >= 1000 && code <= 1014) || (code >= 3000 && code <= 4999);
}
