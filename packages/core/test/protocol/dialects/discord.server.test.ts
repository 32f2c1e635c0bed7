// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { discord } from '../../../src/protocol/dialects/discord.ts';

describe('Discord', () => {
  it('acknowledges a heartbeat at a server, which sends none', () => {
    const session = discord.open('server');
    expect(session.ready).toBe(true);
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('{"op":1,"d":251}')?.beats).toEqual([
      { kind: 'ping', answer: '{"op":11}' },
    ]);
  });
});
