import { CloseCode } from '@wirebeat/core';
import {
  type ConnectionEnd,
  restartReason,
  SERVICE_RESTART,
} from '../connection/connection-end.ts';
import type { EndReason, GatewayEnd } from './events.ts';
import { type FrameError, FrameFault } from './frames/frame-error.ts';
import type { Side } from './tunnel/side.ts';

/** Private code of wirebeat: the upstream behind a gateway is dead. Clients may reconnect, and do. */
const UPSTREAM_DEAD = 4502;
/** IANA: Bad Gateway. The upstream violated the protocol. */
const BAD_GATEWAY = 1014;
/** What the upstream receives when the gateway itself closes: RFC 6455 §7.4.1. */
const GOING_AWAY = [CloseCode.GoingAway, ''] as const;

/** How the gateway ends a connection, and the Close frame for each side; a side without one sees 1006. */
export interface Ending {
  readonly end: GatewayEnd;
  readonly closeFrames: { readonly [Name in Side]?: readonly [code: number, text: string] };
}

function ending(
  reason: EndReason,
  [code, text]: readonly [code: number, text: string],
  closeFrames: Ending['closeFrames'],
  error?: Error,
): Ending {
  return { end: { reason, code, text, by: 'gateway', error }, closeFrames };
}

/** The page receives this code, the upstream 1001. */
export function closing(reason: 'terminated' | 'drain', code: number, text: string): Ending {
  return ending(reason, [code, text], { page: [code, text], upstream: GOING_AWAY });
}

/** The gateway is drained: clients are asked to wait for `retryAfter` ms before they reconnect. */
export function restarting(retryAfter: number): Ending {
  return closing('drain', SERVICE_RESTART, restartReason(retryAfter));
}

/** The page sent too many pings, or did not answer. */
export function closingPage(
  reason: 'flood' | 'unresponsive',
  { code = CloseCode.PolicyViolation, text }: Pick<ConnectionEnd, 'code' | 'text'>,
): Ending {
  return ending(reason, [code, text], { page: [code, text] });
}

/** A side broke the protocol, or sent a message that is too long. */
export function faulting(error: FrameError): Ending {
  const { closeCode: code, side, rule: text } = error;
  const isTooBig = code === FrameFault.TooBig;
  const fault = side === 'page' ? 'protocol-error' : 'upstream-invalid';
  const own = [code, text] as const;
  const atPage = isTooBig ? own : ([BAD_GATEWAY, 'the upstream broke the protocol'] as const);
  // The upstream only receives its own faults. A fault of the page looks to the upstream like 1006.
  const closeFrames = side === 'page' ? { page: own } : { page: atPage, upstream: own };
  return ending(isTooBig ? 'too-big' : fault, own, closeFrames, error);
}

/** The upstream is dead, and so receives no Close frame. */
export function upstreamDead(error: Error): Ending {
  const page = [UPSTREAM_DEAD, 'upstream-dead'] as const;
  return ending('upstream-dead', page, { page }, error);
}

/** Both sides see 1006. */
export function withoutClose(reason: EndReason, error?: Error): Ending {
  return ending(reason, [CloseCode.Abnormal, ''], {}, error);
}
