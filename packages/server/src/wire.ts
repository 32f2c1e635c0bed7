import type { Beat } from '@wirebeat/core';

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
  const [begin, id, ...rest] = String.fromCharCode(...payload).split('.');
  return begin === prefix && rest.length === 0 ? { type: 'pong', id } : undefined;
}
