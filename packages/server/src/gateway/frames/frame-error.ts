import { HeartbeatError } from '@wirebeat/core';
import type { Side } from '../tunnel/side.ts';

/** The close codes for faults: RFC 6455 §7.4.1. */
export const FrameFault = {
  /** A frame that violates the protocol. */
  Protocol: 1002,
  /** Text that is not valid UTF-8. Only the reason of a Close frame is checked. */
  Data: 1007,
  /** A message that exceeds `maxMessageBytes`. */
  TooBig: 1009,
} as const;

/** One side of a connection violated RFC 6455 or exceeded `maxMessageBytes`. */
export class FrameError extends HeartbeatError {
  /** Close code sent to that side: 1002, 1007 or 1009. */
  readonly closeCode: number;
  /** The side that sent the frame. */
  readonly side: Side;
  /** The rule that the frame violates, with its section, and what the frame contained instead. */
  readonly rule: string;

  constructor(side: Side, closeCode: number, rule: string) {
    super('FrameError', 'ERR_FRAME', `The ${side} sent a frame that it must not: ${rule}`);
    this.closeCode = closeCode;
    this.side = side;
    this.rule = rule;
  }
}
