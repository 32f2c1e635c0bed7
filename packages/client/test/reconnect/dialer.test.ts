import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { type Attempt, Dialer } from '../../src/reconnect/dialer.ts';
import { FakeServer } from '../fake-server.ts';
import { settle } from '../stage.ts';

const { signal } = new AbortController();
const FIRST: Attempt = { attempt: 0, lastClose: undefined, signal };

function creator() {
  const { WebSocket } = new FakeServer(new VirtualScheduler());
  const calls: unknown[][] = [];
  const create = (url: string, protocols?: string[]) => {
    calls.push([url, protocols]);
    return new WebSocket(url, protocols);
  };
  return { calls, create };
}

describe('Dialer', () => {
  it('gives at once what dials a fixed address, as often as it is asked', () => {
    const { calls, create } = creator();
    const once = (function* () {
      yield 'a';
    })();
    const dialer = new Dialer('http://host', once, create);
    expect(dialer.url).toBe('ws://host/');
    for (const _ of [1, 2]) {
      const dial = dialer.resolve(FIRST);
      if (typeof dial === 'function') dial();
    }
    expect(calls).toEqual(Array(2).fill(['ws://host/', ['a']]));
  });

  it('refuses a bad address, and bad protocols, before anything is asked', () => {
    const { create } = creator();
    expect(() => new Dialer('ftp://host', undefined, create)).toThrow(DOMException);
    expect(() => new Dialer(() => 'ws://host', 'a b', create)).toThrow(DOMException);
  });

  it('asks the functions with the attempt, in a later turn, and dials when it is told to', async () => {
    const { calls, create } = creator();
    const asked: Attempt[] = [];
    const url = (attempt: Attempt) => {
      asked.push(attempt);
      return new URL('ws://host/1');
    };
    const dialer = new Dialer(url, async () => new Set(['a', 'b']), create);
    const prepared = dialer.resolve(FIRST);
    expect(asked).toEqual([]);
    const dial = await prepared;
    expect(asked).toEqual([FIRST]);
    expect([dialer.url, calls]).toEqual(['', []]);
    dial();
    expect([dialer.url, calls]).toEqual(['ws://host/1', [['ws://host/1', ['a', 'b']]]]);
  });

  it('asks only what is a function', async () => {
    const { calls, create } = creator();
    const first = new Dialer('ws://host', () => 'a', create);
    (await first.resolve(FIRST))();
    const second = new Dialer(() => 'ws://other', 'b', create);
    (await second.resolve(FIRST))();
    expect(calls).toEqual([
      ['ws://host/', ['a']],
      ['ws://other/', ['b']],
    ]);
  });

  it('rejects with what was thrown, and with what is wrong with the answer', async () => {
    const { calls, create } = creator();
    const rejected = (url: () => never, protocols?: () => string) =>
      expect(new Dialer(url, protocols, create).resolve(FIRST)).rejects;
    const mistake = new Error('no token');
    await rejected(() => {
      throw mistake;
    }).toBe(mistake);
    await rejected(() => 'ftp://host' as never).toBeInstanceOf(DOMException);
    await rejected(
      () => 'ws://host' as never,
      () => 'a b',
    ).toBeInstanceOf(DOMException);
    await settle();
    expect(calls).toEqual([]);
  });
});
