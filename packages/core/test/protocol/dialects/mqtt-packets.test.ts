import { describe, expect, it } from 'vitest';
import { type Packet, packetReader } from '../../../src/protocol/dialects/mqtt-packets.ts';
import { bytes } from './bytes.ts';

const PINGRESP = bytes([0xd0, 0]);
const take = () => true;
const leave = () => false;
const isBeat = ([type, length]: Packet) => type === 0xd0 && length === 0;

describe('packetReader', () => {
  it('takes out a packet without a body if it should', () => {
    const message = bytes([0xe0, 0, 0xd0, 0, 0xe0, 0]);
    expect(packetReader(true).read(message, isBeat)).toEqual(bytes([0xe0, 0, 0xe0, 0]));
    expect(packetReader(true).read(PINGRESP, take)).toBeUndefined();
    expect(packetReader(true).read(PINGRESP, leave)).toBe(PINGRESP);
  });

  it('holds back the beginning of a possible beat until the rest has come', () => {
    for (const type of [0xc0, 0xd0]) {
      const reader = packetReader(true);
      expect(reader.read(bytes([0xe0, 0, type]), leave)).toEqual(bytes([0xe0, 0]));
      expect(reader.read('', leave)).toBe('');
      expect(reader.read(bytes([0, 0xe0, 0]), ([kind]) => kind === type)).toEqual(bytes([0xe0, 0]));
      expect(reader.isWithin).toBe(false);
      const outgoing = packetReader();
      expect(outgoing.read(bytes([0xe0, 0, type]), leave)).toEqual(bytes([0xe0, 0, type]));
      expect(outgoing.isWithin).toBe(true);
    }
  });

  it('gives back what it held if the packet is left', () => {
    const reader = packetReader(true);
    expect(reader.read(bytes([0xd0]), leave)).toBeUndefined();
    expect(reader.read(bytes([0]), leave)).toEqual(PINGRESP);
  });

  it('leaves what is no whole beat in its order: a longer length, flags, an empty message', () => {
    for (const messages of [
      [[0xd0], [0x80], [0x00]],
      [[0xd0], [0x81], [0x00, 7]],
      [[0xd1], [0x00]],
      [[0xd0], [], [0x01, 7]],
    ]) {
      const reader = packetReader(true);
      const left = messages.map((message) => [...(reader.read(bytes(message), isBeat) ?? [])]);
      expect(left.flat()).toEqual(messages.flat());
    }
  });

  it('reports the body of a CONNACK, in however many messages it comes', () => {
    const reader = packetReader(true);
    const packets: Packet[] = [];
    for (const part of [bytes([0x20, 3, 0]), bytes([0, 0])]) {
      expect(reader.read(part, (packet) => packets.push(packet) < 0)).toBe(part);
    }
    expect(packets).toEqual([[0x20, 3, 0, 0, 0]]);
  });

  it('skips the bodies of other packets, whatever is in them', () => {
    const reader = packetReader(true);
    const message = bytes(
      [0x30, 0x82, 0x01],
      Array.from({ length: 130 }, () => 0xd0),
    );
    const packets: Packet[] = [];
    const note = (packet: Packet) => packets.push(packet) < 0;
    expect(reader.read(message.slice(0, 20), note)).toEqual(message.slice(0, 20));
    expect(reader.isWithin).toBe(true);
    expect(reader.read(message.slice(20), note)).toEqual(message.slice(20));
    expect(packets).toEqual([[0x30, 0x82, 0x01]]);
    expect(reader.isWithin).toBe(false);
  });

  it('reads no more than four bytes of length', () => {
    const reader = packetReader(true);
    reader.read(bytes([0x30, 0x80, 0x80, 0x80, 0x80]), leave);
    expect(reader.isWithin).toBe(false);
  });
});
