import { describe, expect, it } from 'vitest';
import type { Wire } from '../../../src/protocol/dialects/index.ts';
import type { Grammar } from '../../../src/protocol/dialects/messages.ts';
import { streamSession, type UnitReader } from '../../../src/protocol/dialects/streams.ts';

/** Finds words that end with a point. */
function wordReader(): UnitReader<string> {
  let isWithin = false;
  return {
    get isWithin() {
      return isWithin;
    },
    read(message: Wire, decide) {
      const text = String(message);
      isWithin = !text.endsWith('.');
      const words = text.match(/[^.]*\.?/g) ?? [];
      const left = words.filter((word) => !word.endsWith('.') || !decide(word));
      return left.length === words.length ? message : left.join('') || undefined;
    },
  };
}

const pong = { kind: 'pong', id: '1', isOurs: true } as const;
const ping = { kind: 'ping', answer: 'pong.' } as const;
const GRAMMAR: Grammar<string> = {
  write: () => 'ping.',
  read: (word) => (word === 'pong.' ? pong : word === 'ping.' ? ping : undefined),
  sent: (word) => (word === 'ping.' ? '7' : undefined),
};
const open = (grammar: Partial<Grammar<string>> = {}, isShared = false) =>
  streamSession({ ...GRAMMAR, ...grammar }, isShared, wordReader(), wordReader());

describe('a session of a stream', () => {
  it('takes the beats out of a message that holds more', () => {
    const session = open();
    expect([session.ready, session.timing]).toEqual([true, {}]);
    expect(session.receive('a.pong.b.ping.')).toEqual({ beats: [pong, ping], rest: 'a.b.' });
    expect(session.receive('pong.')).toEqual({ beats: [pong], rest: undefined });
    expect(session.receive('a.b')).toBeUndefined();
  });

  it('takes only pongs for its own pings out of a shared stream', () => {
    expect(open({}, true).receive('pong.ping.')).toEqual({ beats: [pong, ping], rest: 'ping.' });
  });

  it('sends nothing in the middle of what the application sends', () => {
    const session = open();
    expect(session.ping('1')).toBe('ping.');
    session.sent('a.b');
    expect(session.isMidMessage).toBe(true);
    expect(session.ping('1')).toBeUndefined();
    session.sent('c.');
    expect(session.isMidMessage).toBe(false);
    expect(session.ping('1')).toBe('ping.');
  });

  it('finds the ping of the application in what it sends', () => {
    expect(open().sent('a.ping.b.')).toBe('7');
    expect(open().sent('a.')).toBeUndefined();
    expect(
      streamSession({ ...GRAMMAR, sent: () => undefined }, true, wordReader(), wordReader()).sent(
        'ping.',
      ),
    ).toBeUndefined();
  });

  it('learns from what either end sends', () => {
    const session = open({
      ready: false,
      learn(word, learned) {
        if (word === 'hello.') learned.timing = { maxSilence: 5 };
        learned.ready ||= word === 'welcome.';
      },
    });
    expect(session.ping('1')).toBeUndefined();
    session.sent('hello.');
    expect(session.timing).toEqual({ maxSilence: 5 });
    session.receive('a.welcome.');
    expect(session.ping('1')).toBe('ping.');
  });
});
