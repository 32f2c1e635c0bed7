import { describe, expect, it } from 'vitest';
import {
  type MessageGrammar,
  messageSession,
  objectOf,
  parseShort,
} from '../../../src/protocol/dialects/messages.ts';
import { bytes } from './bytes.ts';

const grammar: MessageGrammar = {
  write: (id) => (id === 'none' ? undefined : `ping ${id}`),
  read(message) {
    if (message === 'beat') return { kind: 'beat' };
    if (message === 'pong') return { kind: 'pong' };
    return message === 'ping' ? { kind: 'ping', answer: 'pong' } : undefined;
  },
};

describe('a session of whole messages', () => {
  it('takes beats out of the stream, and leaves the rest', () => {
    const session = messageSession(grammar, false);
    expect(session.ready).toBe(true);
    expect(session.timing).toEqual({});
    expect(session.ping('none')).toBeUndefined();
    expect(session.ping('1')).toBe('ping 1');
    const pong = { kind: 'pong', id: '1', isOurs: true };
    expect(session.receive('pong')).toEqual({ beats: [pong], rest: undefined });
    expect(session.receive('beat')).toEqual({ beats: [{ kind: 'beat' }], rest: undefined });
    const ping = { kind: 'ping', answer: 'pong' };
    expect(session.receive('ping')).toEqual({ beats: [ping], rest: undefined });
    expect(session.receive('other')).toBeUndefined();
  });

  it('takes only pongs for its own pings out of a shared stream', () => {
    const session = messageSession(grammar, true);
    const theirs = session.sent('ping');
    expect(session.sent('pong')).toBeUndefined();
    session.ping('1');
    const foreign = { kind: 'pong', id: theirs, isOurs: false };
    expect(session.receive('pong')).toEqual({ beats: [foreign], rest: 'pong' });
    expect(session.receive('pong')?.rest).toBeUndefined();
    expect(session.receive('beat')?.rest).toBe('beat');
    const ping = { kind: 'ping', answer: undefined };
    expect(session.receive('ping')).toEqual({ beats: [ping], rest: 'ping' });
  });

  it('does not ping before the handshake is over', () => {
    const learn: MessageGrammar['learn'] = (message, told) => {
      told.ready ||= message === 'welcome';
    };
    const timing = { maxSilence: 5 };
    const session = messageSession({ ...grammar, learn, timing, isGated: true }, false);
    expect(session.ping('1')).toBeUndefined();
    session.receive('welcome');
    expect(session.ping('1')).toBe('ping 1');
    expect(session.timing).toBe(timing);
  });
});

describe('parseShort', () => {
  it('returns the value of a short JSON text, and nothing for everything else', () => {
    expect(parseShort('[1]')).toEqual([1]);
    for (const message of ['[', JSON.stringify('x'.repeat(300)), bytes('[1]')]) {
      expect(parseShort(message)).toBeUndefined();
    }
  });
});

describe('objectOf', () => {
  it('returns an object that has no other members', () => {
    expect(objectOf({ a: 1 }, 'a', 'b')).toEqual({ a: 1 });
    for (const value of [{ a: 1, c: 1 }, null, [], 'a', undefined]) {
      expect(objectOf(value, 'a', 'b')).toBeUndefined();
    }
  });
});
