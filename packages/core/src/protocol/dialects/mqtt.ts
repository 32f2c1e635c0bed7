import { cut } from './cut.ts';
import { defineDialect } from './define-dialect.ts';
import type { Dialect, DialectBeat, DialectEnd, DialectSession, DialectTiming } from './dialect.ts';
import { type Packet, PacketReader } from './mqtt-packets.ts';
import { PingOwners } from './ping-owners.ts';

// The first byte of a packet: its type in the high half (MQTT 3.1.1 §2.2, MQTT 5 §2.1).
const CONNECT = 0x10;
const CONNACK = 0x20;
const PINGREQ = 0xc0;
const PINGRESP = 0xd0;
const PING: Uint8Array = /* @__PURE__ */ Uint8Array.of(PINGREQ, 0);
const PONG: Uint8Array = /* @__PURE__ */ Uint8Array.of(PINGRESP, 0);

/**
 * MQTT 3.1.1 and 5 over WebSockets: the client sends PINGREQ and the broker answers PINGRESP. The
 * packets are one stream of bytes, so a message may hold several of them, or a part of one
 * (MQTT 3.1.1 §6.0). The keep-alive is read from the CONNECT of the client that uses the socket.
 */
export const mqtt: Dialect = /* @__PURE__ */ defineDialect({
  name: 'mqtt',
  subprotocols: ['mqtt', 'mqttv3.1'],
  client: { asks: true, beats: false },
  server: { asks: false, beats: false },
  inject: 'order',
  open: (end, isShared = false) => openSession(end, isShared),
  cut,
});

function openSession(end: DialectEnd, isShared: boolean): DialectSession {
  const owners = new PingOwners();
  const incoming = new PacketReader();
  const outgoing = new PacketReader();
  let ready = false;
  let timing: DialectTiming = {};
  const keepAlive = (seconds: number | undefined) => {
    if (seconds !== undefined) timing = seconds > 0 ? { pingInterval: seconds * 1_000 } : {};
  };
  const connack = ({ head }: Packet) => {
    if (head[1] !== 0) return; // refused: the server closes the connection
    ready = true;
    keepAlive(serverKeepAlive(head));
  };
  const beatOf = ({ type }: Packet): DialectBeat | undefined => {
    if (type === PINGREQ && end === 'server') {
      return { kind: 'ping', answer: isShared ? undefined : PONG };
    }
    if (type !== PINGRESP) return undefined;
    const owner = owners.take();
    return { kind: 'pong', id: owner?.id, isOurs: owner?.isOurs === true };
  };
  return {
    get ready() {
      return ready;
    },
    get timing() {
      return timing;
    },
    get isMidMessage() {
      return outgoing.isWithinPacket;
    },
    ping(id) {
      if (!ready || outgoing.isWithinPacket || owners.isFull) return undefined;
      owners.add(id);
      return PING;
    },
    receive(message) {
      if (typeof message === 'string') return undefined; // MQTT 3.1.1 §6.0: binary frames only
      const beats: DialectBeat[] = [];
      const rest = incoming.read(message, (packet) => {
        if (packet.type === CONNACK) connack(packet);
        const beat = beatOf(packet);
        if (beat === undefined) return false;
        beats.push(beat);
        return !isShared || (beat.kind === 'pong' && beat.isOurs);
      });
      return beats.length === 0 && rest === message ? undefined : { beats, rest };
    },
    sent(message) {
      let id: string | undefined;
      if (typeof message === 'string') return id;
      outgoing.read(message, (packet) => {
        if (packet.type === CONNECT) keepAlive(clientKeepAlive(packet.head));
        if (packet.type === PINGREQ && end === 'client') id = owners.addForeign();
        if (packet.type === CONNACK && end === 'server') connack(packet);
        return false;
      });
      return id;
    },
  };
}

/** MQTT 3.1.1 §3.1.2: protocol name, level, flags, keep-alive in seconds. */
function clientKeepAlive(head: readonly number[]): number | undefined {
  const at = 2 + shortAt(head, 0) + 2;
  return head.length >= at + 2 ? shortAt(head, at) : undefined;
}

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
function serverKeepAlive(head: readonly number[]): number | undefined {
  let at = (head[2] ?? 0) < 0x80 ? 3 : 4; // behind flags, reason and the length of the properties
  while (at < head.length) {
    const property = head[at] as number;
    at += 1;
    if (property === SERVER_KEEP_ALIVE)
      return at + 2 <= head.length ? shortAt(head, at) : undefined;
    const isPair = property === USER_PROPERTY;
    at += LENGTHS[property] ?? 2 + shortAt(head, at);
    if (isPair) at += 2 + shortAt(head, at);
  }
  return undefined;
}

function shortAt(bytes: readonly number[], at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
