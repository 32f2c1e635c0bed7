import { CloseCode } from '@wirebeat/core';
import type { ConnectionEnd } from './events.ts';

/** IANA: Service Restart. */
export const SERVICE_RESTART = 1012;

export const FLOOD: ConnectionEnd = {
  reason: 'flood',
  code: CloseCode.PolicyViolation,
  text: 'too many pings',
};

export const UNRESPONSIVE: ConnectionEnd = {
  reason: 'unresponsive',
  code: CloseCode.Timeout,
  text: 'the page does not answer',
};

export const REPLACED: ConnectionEnd = {
  reason: 'replaced',
  code: undefined,
  text: 'a newer connection took its place',
};

/** Private code of wirebeat: the upstream behind a gateway is dead. Clients may reconnect, and do. */
export const UPSTREAM_DEAD = 4502;
/** IANA: Bad Gateway. The upstream violated the protocol. */
export const BAD_GATEWAY = 1014;
