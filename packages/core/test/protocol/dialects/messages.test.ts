import { describe, expect, it } from 'vitest';
import {
  type Grammar,
  MARK,
  messageSession,
  pongWith,
  readJson,
} from '../../../src/protocol/dialects/messages.ts';
import { bytes } from './bytes.ts';

const pong = { kind: 'pong', isOurs: true } as const;
const foreign = { kind: 'pong', isOurs: false } as const;
const ping = { kind: 'ping', answer: 'pong' } as const;

const GRAMMAR: Grammar = {
  write: (id) => (id === 'none' ? undefined : `ping ${id}`),
  read(message) {
    if (message === 'pong') return pong;
    if (message === 'their pong') return foreign;
    return message === 'ping' ? ping : undefined;
  },
};

describe('a session of whole messages', () => {
  it('takes beats out of the stream, and leaves the rest', () => {
    const session = messageSession(GRAMMAR);
    expect(session.ready).toBe(true);
    expect(session.timing).toEqual({});
    expect(session.ping('none')).toBeUndefined();
    expect(session.ping('1')).toBe('ping 1');
    expect(session.receive('pong')).toEqual({ beats: [pong], rest: undefined });
    expect(session.receive('ping')).toEqual({ beats: [ping], rest: undefined });
    expect(session.receive('other')).toBeUndefined();
  });

  it('takes only pongs for its own pings out of a shared stream', () => {
    const session = messageSession(GRAMMAR, true);
    expect(session.receive('their pong')).toEqual({ beats: [foreign], rest: 'their pong' });
    expect(session.receive('pong')).toEqual({ beats: [pong], rest: undefined });
    expect(session.receive('ping')).toEqual({ beats: [ping], rest: 'ping' });
  });

  it('reads what the application sends if its grammar does', () => {
    expect(messageSession(GRAMMAR).sent('ping')).toBeUndefined();
    const sent = (message: unknown) => (message === 'ping' ? '7' : undefined);
    expect(messageSession({ ...GRAMMAR, sent }).sent('ping')).toBe('7');
  });

  it('does not ping before the handshake is over', () => {
    const learn: Grammar['learn'] = (message, learned) => {
      learned.ready ||= message === 'welcome';
    };
    const timing = { maxSilence: 5 };
    const session = messageSession({ ...GRAMMAR, learn, timing, ready: false });
    expect(session.ping('1')).toBeUndefined();
    session.receive('welcome');
    expect(session.ping('1')).toBe('ping 1');
    expect(session.timing).toBe(timing);
  });

  it('learns from a beat too', () => {
    const learn: Grammar['learn'] = (_, learned, beat) => {
      if (beat) learned.timing = { maxSilence: 5 };
    };
    const session = messageSession({ ...GRAMMAR, learn });
    session.receive('other');
    expect(session.timing).toEqual({});
    session.receive('pong');
    expect(session.timing).toEqual({ maxSilence: 5 });
  });
});

describe('pongWith', () => {
  it('tells a pong to a ping of yours by the beginning of its id', () => {
    expect(pongWith(`${MARK}7`)).toEqual({ kind: 'pong', id: '7', isOurs: true });
    expect(pongWith(MARK)).toEqual({ kind: 'pong', id: '', isOurs: true });
    expect(pongWith('7')).toEqual({ kind: 'pong', id: '7', isOurs: false });
    expect(pongWith(undefined)).toEqual({ kind: 'pong' });
  });
});

describe('readJson', () => {
  it('returns what a short message of JSON holds, and an object without members for everything else', () => {
    expect(readJson('{"a":1}')).toEqual({ a: 1 });
    expect(readJson('[1]', '[')).toEqual([1]);
    const long = JSON.stringify({ a: 'x'.repeat(300) });
    for (const message of ['[{"a":1}]', 'a', '{', '', long, bytes('{"a":1}')]) {
      expect(readJson(message)).toEqual({});
    }
  });
});
