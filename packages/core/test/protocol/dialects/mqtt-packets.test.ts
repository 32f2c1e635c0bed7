import { describe, expect, it } from 'vitest';
import { type Packet, PacketReader } from '../../../src/protocol/dialects/mqtt-packets.ts';
import { bytes } from './bytes.ts';

const PINGRESP = bytes([0xd0, 0]);
const take = () => true;
const leave = () => false;

describe('PacketReader', () => {
  it('takes out a packet without a body if it should', () => {
    const message = bytes([0xe0, 0, 0xd0, 0, 0xe0, 0]);
    const isBeat = ({ type }: Packet) => type === 0xd0;
    expect(new PacketReader().read(message, isBeat)).toEqual(bytes([0xe0, 0, 0xe0, 0]));
    expect(new PacketReader().read(PINGRESP, take)).toBeUndefined();
    expect(new PacketReader().read(PINGRESP, leave)).toBe(PINGRESP);
  });

  it('holds back the beginning of a possible beat until the rest has come', () => {
    for (const type of [0xc0, 0xd0]) {
      const reader = new PacketReader();
      expect(reader.read(bytes([0xe0, 0, type]), leave)).toEqual(bytes([0xe0, 0]));
      expect(reader.isWithinPacket).toBe(true);
      expect(reader.read(bytes(), leave)).toEqual(bytes());
      expect(reader.read(bytes([0, 0xe0, 0]), ({ type }) => type !== 0xe0)).toEqual(
        bytes([0xe0, 0]),
      );
      expect(reader.isWithinPacket).toBe(false);
    }
  });

  it('gives back what it held if the packet is left', () => {
    const reader = new PacketReader();
    expect(reader.read(bytes([0xd0]), leave)).toBeUndefined();
    expect(reader.read(bytes([0]), leave)).toEqual(PINGRESP);
  });

  it('reports the body of a CONNACK, in however many messages it comes', () => {
    const reader = new PacketReader();
    const packets: Packet[] = [];
    for (const part of [bytes([0x20, 3, 0]), bytes([0, 0])]) {
      expect(reader.read(part, (packet) => packets.push(packet) > 0)).toBe(part);
    }
    expect(packets).toEqual([{ type: 0x20, head: [0, 0, 0] }]);
  });

  it('skips the bodies of other packets, whatever is in them', () => {
    const reader = new PacketReader();
    const message = bytes(
      [0x30, 0x82, 0x01],
      Array.from({ length: 130 }, () => 0xd0),
    );
    expect(reader.read(message.slice(0, 20), take)).toEqual(message.slice(0, 20));
    expect(reader.isWithinPacket).toBe(true);
    expect(reader.read(message.slice(20), take)).toEqual(message.slice(20));
    expect(reader.isWithinPacket).toBe(false);
  });

  it('reads no more than four bytes of length', () => {
    const reader = new PacketReader();
    reader.read(bytes([0x30, 0x80, 0x80, 0x80, 0x80]), leave);
    expect(reader.isWithinPacket).toBe(false);
  });
});
