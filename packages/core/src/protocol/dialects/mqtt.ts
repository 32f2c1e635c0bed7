import { IS_PAGE } from '../../development.ts';
import { cut } from './cut.ts';
import type { Dialect, DialectBeat } from './dialect.ts';
import { asking, define, holding } from './dialect-connection.ts';
import { inOrder } from './in-order.ts';
import type { Learned } from './messages.ts';
import { CONNACK, CONNECT, type Packet, PINGREQ, PINGRESP, packetReader } from './mqtt-packets.ts';
import { streamSession } from './streams.ts';
import { wireOf } from './wire.ts';

/**
 * MQTT 3.1.1 and 5 over WebSockets: the client sends PINGREQ and the broker answers PINGRESP. The
 * packets are one stream of bytes, so a message may hold several of them, or a part of one
 * (MQTT 3.1.1 §6.0). The keep-alive is read from the CONNECT of the client that uses the socket.
 */
export const mqtt: Dialect = /* @__PURE__ */ define(
  {
    name: 'mqtt',
    subprotocols: ['mqtt', 'mqttv3.1'],
    client: { asks: true, beats: false },
    server: { asks: false, beats: false },
    inject: 'order',
    open(end, isShared) {
      const isServer = !IS_PAGE && end === 'server';
      const grammar = { write, read: isServer ? readPing : readPong, learn, ready: false };
      const owned = inOrder(grammar, isServer ? readPong : readPing);
      return streamSession(owned, isShared, packetReader(true), packetReader());
    },
    cut,
  },
  wireOf,
  asking,
  holding,
);

const readPing = (packet: Packet): DialectBeat | undefined =>
  isShort(packet, PINGREQ) ? { kind: 'ping', answer: Uint8Array.of(PINGRESP, 0) } : undefined;

const readPong = (packet: Packet): DialectBeat | undefined =>
  isShort(packet, PINGRESP) ? { kind: 'pong' } : undefined;

const write = () => Uint8Array.of(PINGREQ, 0);

function isShort([first, length]: Packet, type: number): boolean {
  return first === type && length === 0;
}

function learn(packet: Packet, learned: Learned): void {
  const [type] = packet;
  const body = packet.slice(packet.findIndex((byte, index) => index > 0 && byte < 0x80) + 1);
  if (type === CONNECT) learnKeepAlive(learned, body, KEEP_ALIVE_AT + shortAt(body, 0));
  if (type !== CONNACK || body[1] !== 0) return; // refused: the server closes the connection
  learned.ready = true;
  learnKeepAlive(learned, body, serverKeepAliveAt(body));
}

/** Reads a keep-alive in seconds; 0: none. */
function learnKeepAlive(learned: Learned, body: Packet, at: number): void {
  const seconds = shortAt(body, at);
  if (at + 2 <= body.length) learned.timing = seconds > 0 ? { pingInterval: seconds * 1_000 } : {};
}

/** MQTT 3.1.1 §3.1.2: behind the protocol name and its length, the level and the flags. */
const KEEP_ALIVE_AT = 4;
const SERVER_KEEP_ALIVE = 0x13;
/** The lengths of the properties of a CONNACK that are not strings (MQTT 5 §2.2.2.2). */
const LENGTHS: Readonly<Record<number, number>> = {
  17: 4,
  33: 2,
  34: 2,
  36: 1,
  37: 1,
  39: 4,
  40: 1,
  41: 1,
  42: 1,
};
const USER_PROPERTY = 0x26; // two strings

/** MQTT 5 §3.2.2.3.14: a server may replace the keep-alive of the client. */
function serverKeepAliveAt(body: Packet): number {
  let at = (body[2] ?? 0) < 0x80 ? 3 : 4; // behind flags, reason and the length of the properties
  while (at < body.length && body[at] !== SERVER_KEEP_ALIVE) {
    const property = body[at] as number;
    at += 1 + (LENGTHS[property] ?? 2 + shortAt(body, at + 1));
    if (property === USER_PROPERTY) at += 2 + shortAt(body, at);
  }
  return at + 1;
}

function shortAt(bytes: Packet, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
