import { describe, expect, it } from 'vitest';
import { text, trpc } from '../../../src/protocol/dialects/text.ts';
import { bytes } from './bytes.ts';

describe('text', () => {
  it('asks `ping` and takes `pong` for the answer', () => {
    const session = text().open('client');
    expect(session.ping('1')).toBe('ping');
    expect(session.receive('pong')).toEqual({
      beats: [{ kind: 'pong', id: '1', isOurs: true }],
      rest: undefined,
    });
  });

  it('answers a ping of the peer', () => {
    const beats = [{ kind: 'ping', answer: 'pong' }];
    expect(text().open('client').receive('ping')).toEqual({ beats, rest: undefined });
  });

  it('leaves every other message to the application', () => {
    const session = text().open('client');
    for (const message of ['pong ', 'Pong', '"pong"', '', bytes('pong')]) {
      expect(session.receive(message)).toBeUndefined();
    }
  });

  it('is the keep-alive of tRPC with other words', () => {
    const session = trpc.open('client');
    expect(session.ping('1')).toBe('PING');
    expect(session.receive('PONG')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
    expect(session.receive('PING')?.beats).toEqual([{ kind: 'ping', answer: 'PONG' }]);
  });

  it('writes the words that you choose, from either end', () => {
    const session = text({ name: 'words', ping: 'a', pong: 'b' }).open('server');
    expect(session.ping('1')).toBe('a');
    expect(session.receive('b')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('leaves a ping of the peer to the application on a shared socket', () => {
    const beats = [{ kind: 'ping', answer: 'pong' }];
    expect(text().open('client', true).receive('ping')).toEqual({ beats, rest: 'ping' });
  });
});
