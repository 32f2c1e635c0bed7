import { describe, expect, it } from 'vitest';
import { ALL } from './all.ts';
import { bytes } from './bytes.ts';

const connack = bytes([0x20, 2, 0, 0]);

describe.each(ALL)('the dialect $name', (dialect) => {
  it('keeps no more than sixteen pings of a peer that answers none', () => {
    const session = dialect.open('client');
    session.receive(connack);
    session.receive('{"event":"pusher:connection_established"}');
    session.receive('{"op":10,"d":{"heartbeat_interval":41250}}');
    const pings = Array.from({ length: 100 }, (_, index) => session.ping(`${index}`));
    const remembersNone = dialect.name === 'phoenix'; // its pongs tell whose they are
    const sent = pings.filter((ping) => ping !== undefined).length;
    if (dialect.client.asks) expect(sent).toBe(remembersNone ? 100 : 16);
    else if (!dialect.client.beats) expect(sent).toBe(0);
  });

  it('begins each connection afresh', () => {
    expect(dialect.open('client')).not.toBe(dialect.open('client'));
    expect(dialect.open('client').timing).toEqual(dialect.open('client').timing);
  });
});
