import { describe, expect, it } from 'vitest';
import { actionCable } from '../../../src/protocol/dialects/action-cable.ts';
import { inPage } from '../../in-page.ts';
import { bytes } from './bytes.ts';

describe('Action Cable', () => {
  it('hears the pings of the server, with its clock, once it was welcomed', () => {
    const session = actionCable.open('client');
    expect(session.timing).toEqual({});
    session.receive('{"type":"welcome"}');
    expect(session.timing).toEqual({ maxSilence: 6_000 });
    expect(session.receive('{"type":"ping","message":1795000000}')?.beats).toEqual([
      { kind: 'beat', clock: 1_795_000_000_000 },
    ]);
  });

  it('waits for the welcome at a client, which never pings', () => {
    const session = actionCable.open('client');
    expect(session.ready).toBe(false);
    session.receive('{"type":"welcome"}');
    expect(session.ready).toBe(true);
    expect(session.ping('1')).toBeUndefined();
  });

  it('hears a ping without a clock, and leaves everything else alone', () => {
    const session = actionCable.open('client');
    expect(session.receive('{"type":"ping"}')?.beats).toEqual([{ kind: 'beat' }]);
    for (const message of ['{"type":"other"}', '[]', bytes('{"type":"ping"}')]) {
      expect(session.receive(message)).toBeUndefined();
    }
  });

  it('waits for the welcome and never pings in a bundle for pages', async () => {
    const page = await inPage(() => import('../../../src/protocol/dialects/action-cable.ts'));
    const session = page.actionCable.open('server'); // a page is no server, whatever it says
    expect(session.ready).toBe(false);
    session.receive('{"type":"welcome"}');
    expect(session.ready).toBe(true);
    expect(session.ping('1')).toBeUndefined();
  });
});
