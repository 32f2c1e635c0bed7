import type { Beat } from '@wirebeat/core';

const BARE_PONG: Beat = Object.freeze({ type: 'pong', id: undefined });

/**
 * Draws what begins the payload of our protocol Pings: the application's own `pong` events see only
 * its own, and a second heartbeat on the same sockets sees all of its.
 */
export function drawPayload(random: () => number): string {
  return `wb-${Math.floor(random() * 36 ** 6).toString(36)}`;
}

/** The payload of the protocol Ping with this id. */
export function payloadOf(prefix: string, id: string | undefined): string {
  return id === undefined ? prefix : `${prefix}.${id}`;
}

/** The pong that the payload of a protocol Pong is; undefined if its Ping was not ours. */
export function readPayload(prefix: string, payload: Uint8Array): Beat | undefined {
  for (let at = 0; at < prefix.length; at += 1) {
    if (payload[at] !== prefix.charCodeAt(at)) return undefined;
  }
  if (payload.length === prefix.length) return BARE_PONG; // nearly all
  const [begin, id, ...rest] = String.fromCharCode(...payload).split('.');
  return begin === prefix && rest.length === 0 ? { type: 'pong', id } : undefined;
}
