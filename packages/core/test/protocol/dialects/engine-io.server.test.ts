// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { engineIo } from '../../../src/protocol/dialects/engine-io.ts';

describe('Engine.IO', () => {
  it('asks from a server, and gives the answers to its pings in order', () => {
    const session = engineIo.open('server');
    for (const id of ['1', '2']) expect(session.ping(id)).toBe('2');
    for (const id of ['1', '2']) {
      expect(session.receive('3')?.beats).toEqual([{ kind: 'pong', id, isOurs: true }]);
    }
  });
});
