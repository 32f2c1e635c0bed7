import { describe, expect, it } from 'vitest';
import { engineIo } from '../../../src/protocol/dialects/engine-io.ts';
import { inPage } from '../../in-page.ts';
import { bytes } from './bytes.ts';
import { Connected } from './connected.ts';

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

  it('learns nothing from an open packet without a limit', () => {
    const session = engineIo.open('client');
    for (const packet of [
      '0{"pingInterval":0,"pingTimeout":0}',
      '0{"pingInterval":1e999,"pingTimeout":1}',
    ]) {
      session.receive(packet);
      expect(session.timing).toEqual({});
    }
  });

  it('judges the server by its silence in a bundle for pages too', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/engine-io.ts'));
    const it = new Connected(page.engineIo);
    it.receive('0{"sid":"x","pingInterval":250,"pingTimeout":200}');
    expect(it.driver.heartbeat.maxSilence).toBe(450);
    expect(it.sent).toEqual([]);
  });

  it('answers and never asks in a bundle for pages, where no answer is one to a ping', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/engine-io.ts'));
    const session = page.engineIo.open('server'); // a page is no server, whatever it says
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('2')?.beats).toEqual([{ kind: 'ping', answer: '3' }]);
    expect(session.receive('3')?.beats).toEqual([{ kind: 'pong' }]);
  });
});
