import type { UnitReader } from './streams.ts';
import { restOf } from './wire.ts';

/** The header of a packet. Behind it the body, as far as it is kept. */
export type Packet = readonly number[];

// The first byte of a packet: its type in the high half (MQTT 3.1.1 §2.2, MQTT 5 §2.1).
export const CONNECT = 0x10;
export const CONNACK = 0x20;
export const PINGREQ = 0xc0;
export const PINGRESP = 0xd0;

/** How many bytes of a packet are kept: enough for a CONNACK with long properties. */
const MAX_HEAD = 512;
/** MQTT 3.1.1 §2.2.3: at most four bytes of length. */
const MAX_LENGTH_BYTES = 4;

/**
 * Finds MQTT packets in a stream of bytes split into messages of any length. The bodies of CONNECT and
 * CONNACK are kept. If it `holds`, it holds back the first byte of a PINGREQ or PINGRESP, and nothing
 * else, until the second byte has come.
 */
export function packetReader(holds?: boolean): UnitReader<Packet> {
  let head: number[] = [];
  let left: number | undefined; // bytes of the body that are to come; undefined within the header
  let held: number[] = []; // the beginning of a possible beat
  return {
    get isWithin() {
      return head.length > 0;
    },
    read(message, decide) {
      if (typeof message === 'string') return message; // MQTT 3.1.1 §6.0: binary frames only
      const whole = held.length > 0 ? Uint8Array.from([...held, ...message]) : message;
      held = [];
      const isTaken: boolean[] = [];
      let start = 0; // of the packet
      const take = (end: number) => {
        for (; start < end; start += 1) isTaken[start] = true;
      };
      for (let at = 0; at < whole.length; ) {
        if (head.length === 0) start = at;
        const part = whole.subarray(at, at + (left ?? 1));
        at += part.length;
        if (left === undefined) {
          head.push(...part);
          left = bodyLength(head);
        } else {
          left -= part.length;
          if ((head[0] as number) <= CONNACK)
            head.push(...part.subarray(0, MAX_HEAD - head.length));
        }
        if (left !== 0) continue;
        if (decide(head)) take(at);
        head = [];
        left = undefined;
      }
      if (holds && head.length === 1 && isBeat(head)) {
        held = head;
        take(whole.length);
        head = [];
      }
      return restOf(whole, isTaken);
    },
  };
}

const isBeat = ([type]: Packet): boolean => type === PINGREQ || type === PINGRESP;

/** Seven bits a byte, the least significant first. `undefined` if bytes of the length are missing. */
function bodyLength([, ...bytes]: Packet): number | undefined {
  const isWhole = (bytes.at(-1) ?? 0x80) < 0x80 || bytes.length === MAX_LENGTH_BYTES;
  const join = (length: number, byte: number) => length * 128 + (byte & 0x7f);
  return isWhole ? bytes.reduceRight(join, 0) : undefined;
}
