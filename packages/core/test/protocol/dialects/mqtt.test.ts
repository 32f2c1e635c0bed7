import { describe, expect, it } from 'vitest';
import { mqtt } from '../../../src/protocol/dialects/mqtt.ts';
import { inPage } from '../../in-page.ts';
import { bytes } from './bytes.ts';

const connack = bytes([0x20, 2, 0, 0]);

describe('MQTT', () => {
  it('asks once the broker has accepted the client, as often as the client promised', () => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 12, 0, 4], 'MQTT', [4, 2, 0, 60, 0, 0]));
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive(connack)).toBeUndefined();
    expect(session.timing).toEqual({ pingInterval: 60_000 });
    expect(session.ping('1')).toEqual(bytes([0xc0, 0]));
    expect(session.receive(bytes([0xd0, 0]))).toEqual({
      beats: [{ kind: 'pong', id: '1', isOurs: true }],
      rest: undefined,
    });
  });

  it('obeys the keep-alive of an MQTT 5 broker, behind other properties', () => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 13, 0, 4], 'MQTT', [5, 2, 0, 60, 0, 0, 0]));
    const properties = bytes([0x12, 0, 2], [0x13, 0x13], [0x21, 0, 10], [0x13, 0, 30]);
    session.receive(bytes([0x20, 3 + properties.length, 0, 0, properties.length], [...properties]));
    expect(session.timing).toEqual({ pingInterval: 30_000 });
  });

  it('does not begin when the broker refuses', () => {
    const session = mqtt.open('client');
    session.receive(bytes([0x20, 2, 0, 5]));
    expect(session.ready).toBe(false);
  });

  it('does not ask in the middle of a packet of the client', () => {
    const session = mqtt.open('client', true);
    session.receive(connack);
    session.sent(bytes([0x30, 7, 0, 1], 'a'));
    expect(session.ping('1')).toBeUndefined();
    session.sent(bytes('1234'));
    expect(session.ping('1')).toBeDefined();
  });

  it('gives each answer to whoever asked, in order', () => {
    const session = mqtt.open('client', true);
    session.receive(connack);
    const theirs = session.sent(bytes([0xc0, 0]));
    session.ping('1');
    const both = session.receive(bytes([0xd0, 0, 0xd0, 0]));
    expect(both).toEqual({
      beats: [
        { kind: 'pong', id: theirs, isOurs: false },
        { kind: 'pong', id: '1', isOurs: true },
      ],
      rest: bytes([0xd0, 0]),
    });
  });

  it('leaves a ping that comes to a client, and an answer to nothing', () => {
    const session = mqtt.open('client');
    expect(session.receive(bytes([0xc0, 0]))).toBeUndefined();
    expect(session.receive(bytes([0xd0, 0]))?.beats).toEqual([{ kind: 'pong' }]);
  });

  it('ignores text messages in both directions', () => {
    const session = mqtt.open('client');
    expect(session.receive('PINGRESP')).toBeUndefined();
    expect(session.sent('PINGREQ')).toBeUndefined();
  });

  it('promises nothing where the client switches its keep-alive off or breaks off', () => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 12, 0, 4], 'MQTT', [4, 2, 0, 0, 0, 0]));
    session.sent(bytes([0x10, 3, 0, 4], 'M'));
    expect(session.timing).toEqual({});
  });

  it('finds the keep-alive behind user properties, whose length takes two bytes', () => {
    const session = mqtt.open('client', true);
    const value = 'v'.repeat(150);
    const properties = bytes([0x26, 0, 1], 'k', [0, 150], value, [0x13, 0, 30]);
    const body = bytes([0, 0, 128 + (properties.length - 128), 1], [...properties]);
    session.receive(bytes([0x20, 128 + (body.length - 128), 1], [...body]));
    expect(session.timing).toEqual({ pingInterval: 30_000 });
  });

  it.each([
    ['before its value', [0x13]],
    ['within its value', [0x13, 0]],
  ])('keeps to the promise of the client where the keep-alive breaks off %s', (_, properties) => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 13, 0, 4], 'MQTT', [5, 2, 0, 60, 0, 0, 0]));
    session.receive(bytes([0x20, 3 + properties.length, 0, 0, properties.length], properties));
    expect(session.timing).toEqual({ pingInterval: 60_000 });
  });

  it('keeps to the promise of the client where the properties of the broker break off', () => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 13, 0, 4], 'MQTT', [5, 2, 0, 60, 0, 0, 0]));
    session.receive(bytes([0x20, 4, 0, 0, 1, 0x12]));
    expect(session.ready).toBe(true);
    expect(session.timing).toEqual({ pingInterval: 60_000 });
  });

  it('says that the application has sent half a packet', () => {
    const session = mqtt.open('client', true);
    expect(session.isMidMessage).toBe(false);
    session.sent(bytes([0x30, 5, 0, 1]));
    expect(session.isMidMessage).toBe(true);
    session.sent(bytes('abc'));
    expect(session.isMidMessage).toBe(false);
  });

  it('reads the PINGRESP of the broker in a bundle for pages', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/mqtt.ts'));
    const session = page.mqtt.open('server'); // a page is no server, whatever it says
    session.receive(connack);
    expect(session.sent(bytes([0xc0, 0]))).toBeDefined();
    expect(session.receive(bytes([0xc0, 0]))).toBeUndefined();
    expect(session.receive(bytes([0xd0, 0]))?.beats).toMatchObject([{ kind: 'pong' }]);
  });
});
