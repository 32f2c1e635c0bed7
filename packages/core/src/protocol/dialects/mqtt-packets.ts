import { joinWire } from './wire.ts';

/** The parts of a packet that are used. */
export interface Packet {
  /** The first byte without the flags. */
  readonly type: number;
  /** The first bytes of the body, or all of them. */
  readonly head: readonly number[];
}

/** How many bytes of a body are kept: enough for a CONNACK with long properties. */
const MAX_HEAD = 512;
const CONNACK = 0x20; // up to here bodies are of interest
const PINGREQ = 0xc0;
const PINGRESP = 0xd0;

/**
 * Finds MQTT packets in a stream of bytes split into messages of any length. It holds back only the
 * first byte of a PINGREQ or PINGRESP, until the second byte has come.
 */
export class PacketReader {
  #type = 0;
  #isInHeader = false;
  #scale = 1; // of the next byte of the remaining length
  #length = 0; // the part of the length read so far
  #left = 0; // bytes of the packet that are to come
  #head: number[] = [];
  #held: Uint8Array | undefined; // the beginning of a possible beat

  get isWithinPacket(): boolean {
    return this.#isInHeader || this.#left > 0;
  }

  /**
   * Reads one message. Calls `decide` for each packet without a body, which returns whether to take
   * the packet out, and for CONNECT and CONNACK, where the result is ignored. Returns the rest: the
   * message itself if nothing was taken out, `undefined` if nothing is left.
   */
  read(message: Uint8Array, decide: (packet: Packet) => boolean): Uint8Array | undefined {
    const kept: Uint8Array[] = [];
    let from = 0; // the first byte that is neither kept nor taken yet
    let start = 0; // of the packet being read
    for (let at = 0; at < message.length; ) {
      if (this.#left > 0) {
        at = this.#skip(message, at, decide);
        continue;
      }
      if (!this.#isInHeader) start = at;
      const isDone = this.#readHeader(message[at] as number);
      at += 1;
      if (!isDone) continue;
      const held = this.#held;
      this.#held = undefined;
      const isTaken = this.#left === 0 && decide({ type: this.#type, head: [] });
      if (held !== undefined && !isTaken) kept.push(held);
      if (!isTaken) continue;
      if (held === undefined) kept.push(message.subarray(from, start));
      from = at;
    }
    if (this.#isInHeader && this.#mayBeBeat && this.#held === undefined) {
      this.#held = message.slice(start);
      kept.push(message.subarray(from, start));
      from = message.length;
    }
    if (from === 0 && kept.length === 0) return message;
    return joinWire([...kept, message.subarray(from)]) as Uint8Array | undefined;
  }

  get #mayBeBeat(): boolean {
    return this.#type === PINGREQ || this.#type === PINGRESP;
  }

  /** MQTT 3.1.1 §2.2.3: seven bits a byte, the least significant first. */
  #readHeader(byte: number): boolean {
    if (!this.#isInHeader) {
      this.#type = byte & 0xf0;
      this.#isInHeader = true;
      this.#scale = 1;
      this.#length = 0;
      this.#head = [];
      return false;
    }
    this.#length += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    if (byte >= 0x80 && this.#scale < 128 ** 4) return false;
    this.#left = this.#length;
    this.#isInHeader = false;
    return true;
  }

  /** Continues to read a body. */
  #skip(message: Uint8Array, at: number, decide: (packet: Packet) => boolean): number {
    const end = Math.min(message.length, at + this.#left);
    this.#left -= end - at;
    if (this.#type > CONNACK) return end;
    this.#head.push(...message.subarray(at, Math.min(end, at + MAX_HEAD - this.#head.length)));
    if (this.#left === 0) decide({ type: this.#type, head: this.#head });
    return end;
  }
}
