import { describe, expect, it } from 'vitest';
import { bySubprotocol, graphql, keepAlive, trpc } from '../../../src/protocol/dialects/index.ts';
import { Connected } from './connected.ts';

describe('bySubprotocol', () => {
  const choice = bySubprotocol(trpc, graphql, keepAlive());

  it('chooses by the negotiated subprotocol', () => {
    const nameFor = (protocol: string) => new Connected(choice, {}, { protocol }).dialect?.name;
    expect(nameFor('graphql-transport-ws')).toBe('graphql');
    expect(nameFor('graphql-ws')).toBe('ka');
  });

  it('never guesses', () => {
    for (const protocol of ['', 'chat', 'mqtt']) {
      expect(new Connected(choice, {}, { protocol }).dialect).toBeUndefined();
    }
  });
});
