import { HeartbeatError } from '@wirebeat/core';
import type { Side } from '../tunnel/side.ts';

/** What RFC 6455 has a connection failed with: §7.4.1. */
export const FrameFault = {
  /** A frame that breaks a rule. */
  Protocol: 1002,
  /** Text that is no UTF-8. Only the reason of a Close frame is looked at. */
  Data: 1007,
  /** A message longer than is allowed. */
  TooBig: 1009,
} as const;

/** One side of a connection sent what RFC 6455 forbids, or more than it may. */
export class FrameError extends HeartbeatError {
  /** 1002, 1007 or 1009: what that side is told. */
  readonly closeCode: number;
  /** Who sent it. */
  readonly side: Side;
  /** The rule that it broke, with its section, and what stood there instead. */
  readonly rule: string;

  constructor(side: Side, closeCode: number, rule: string) {
    super('FrameError', 'ERR_FRAME', `The ${side} sent a frame that it must not: ${rule}`);
    this.closeCode = closeCode;
    this.side = side;
    this.rule = rule;
  }
}
