import type { Beat } from '@wirebeat/core';

/** The answer to a Ping without an id. */
export const BARE_PONG: Beat = Object.freeze({ type: 'pong', id: undefined });

/**
 * Draws the random prefix of the payload of our protocol Pings. It keeps our Pongs apart from those of
 * the application and of a second heartbeat on the same sockets.
 */
export function drawPayload(random: () => number): string {
  return `wb-${Math.floor(random() * 36 ** 6).toString(36)}`;
}

/** Returns the payload of the protocol Ping with this id. */
export function payloadOf(prefix: string, id: string | undefined): string {
  return id === undefined ? prefix : `${prefix}.${id}`;
}

/**
 * Decodes the payload of a protocol Pong. Returns `undefined` if the Pong answers a Ping that was not
 * ours.
 */
export function readPayload(prefix: string, payload: Uint8Array): Beat | undefined {
  for (let at = 0; at < prefix.length; at += 1) {
    if (payload[at] !== prefix.charCodeAt(at)) return undefined;
  }
  if (payload.length === prefix.length) return BARE_PONG; // the common case
  const [begin, id, ...rest] = String.fromCharCode(...payload).split('.');
  return begin === prefix && rest.length === 0 ? { type: 'pong', id } : undefined;
}

/** Returns the whole frame of the protocol Ping without an id: RFC 6455 §5.2 and §5.5.2. */
export function pingFrame(prefix: string): Uint8Array {
  return bytesOf(`\u0089${String.fromCharCode(prefix.length)}${prefix}`);
}

/** Encodes a text as Latin-1: one byte per character. No character may be above U+00FF. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
