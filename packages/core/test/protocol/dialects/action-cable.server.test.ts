// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { actionCable } from '../../../src/protocol/dialects/action-cable.ts';

describe('Action Cable', () => {
  it('pings at a server without waiting for a welcome, which it sends itself', () => {
    const session = actionCable.open('server');
    expect(session.ready).toBe(true);
    expect(session.ping('1')).toBe('{"type":"ping"}');
  });
});
