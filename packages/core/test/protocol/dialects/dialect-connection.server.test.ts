// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { phoenix } from '../../../src/protocol/dialects/index.ts';
import { Connected } from './connected.ts';

describe('a connection', () => {
  it('does not ask at a server if only the client may', () => {
    expect(new Connected(phoenix(), {}, { end: 'server' }).dialect?.asks).toBe(false);
  });
});
