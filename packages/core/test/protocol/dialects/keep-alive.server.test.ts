// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { keepAlive } from '../../../src/protocol/dialects/keep-alive.ts';

describe('ka', () => {
  it('sends `ka` from a server', () => {
    expect(keepAlive().open('server').ping('1')).toBe('{"type":"ka"}');
  });
});
