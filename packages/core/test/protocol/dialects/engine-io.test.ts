import { describe, expect, it } from 'vitest';
import { engineIo } from '../../../src/protocol/dialects/engine-io.ts';
import { bytes } from './bytes.ts';

describe('Engine.IO', () => {
  it('answers the pings of the server, and never asks from a client', () => {
    const session = engineIo.open('client');
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('2')).toEqual({
      beats: [{ kind: 'ping', answer: '3' }],
      rest: undefined,
    });
  });

  it('learns from the open packet how long the server may be silent, and passes the packet on', () => {
    const session = engineIo.open('client');
    const open =
      '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
    expect(session.receive(open)).toBeUndefined();
    expect(session.timing).toEqual({ maxSilence: 45_000 });
  });

  it('takes neither a packet of Socket.IO nor a broken open packet for anything', () => {
    const session = engineIo.open('client');
    for (const message of ['42["2"]', '2probe', '0{', '0{"pingInterval":"x"}', bytes('2')]) {
      expect(session.receive(message)).toBeUndefined();
    }
    expect(session.timing).toEqual({});
  });

  it('asks from a server, and matches the answer', () => {
    const session = engineIo.open('server');
    expect(session.ping('1')).toBe('2');
    expect(session.receive('3')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('learns nothing from an open packet with unknown members or without a limit', () => {
    const session = engineIo.open('client');
    for (const packet of [
      '0{"pingInterval":1,"pingTimeout":1,"other":1}',
      '0{"pingInterval":0,"pingTimeout":0}',
      '0{"pingInterval":1e999,"pingTimeout":1}',
    ]) {
      session.receive(packet);
      expect(session.timing).toEqual({});
    }
  });
});
