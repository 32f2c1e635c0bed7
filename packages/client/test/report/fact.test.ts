import { describe, expect, it } from 'vitest';
import { NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { tell } from '../../src/report/fact.ts';

const told = (name: string, detail?: unknown, times = 1) => tell({ at: 0, name, detail, times });

describe('tell', () => {
  it.each([
    ['dial', undefined, 'A connection was dialled.'],
    ['open', undefined, 'It opened.'],
    ['suspect', { silentFor: 26_000 }, 'Suspect: nothing received for 26 s.'],
    ['recovered', {}, 'Alive again: the suspicion was false.'],
    ['dead', { silentFor: 45_250 }, 'Dead: nothing received for 45.3 s.'],
    ['stall', { lateBy: 8_000 }, 'A timer was 8 s late; another ping is sent before any verdict.'],
    ['unanswered', {}, 'The peer does not answer pings, so no more are sent.'],
    ['retry', { attempt: 3, delay: 1_000 }, 'Attempt 3 follows in 1 s.'],
    ['giveup', { attempts: 1 }, 'Given up after 1 attempt.'],
    [
      'drop',
      { count: 2, reason: 'close' },
      '2 messages dropped: `close()` was called or the client gave up.',
    ],
    ['drop', { count: 1, reason: 'overflow' }, '1 message dropped: the queue is full.'],
    [
      'drop',
      { count: 2, reason: 'undeliverable' },
      '2 messages dropped: they cannot be delivered.',
    ],
    ['state', 'frozen', 'The page became frozen.'],
    ['end', NEVER_DIALLED, 'The connection could not be opened.'],
    ['news', undefined, 'news.'],
  ])('says %s in a sentence', (name, detail, sentence) => {
    expect(told(name, detail)).toBe(sentence);
  });

  it('says how often a flood came', () => {
    expect(told('hint', undefined, 2)).toMatch(/ \(2 times\)$/);
    expect(told('hint', undefined, 7)).toMatch(/link\. \(7 times\)$/);
  });

  it('names an error by class and code, and what caused it, and keeps its message back', () => {
    const cause = Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' });
    const error = new TypeError('no answer from wss://x/?token=secret', { cause });
    expect(told('error', error)).toBe('Error: TypeError, caused by Error ECONNREFUSED.');
    expect(told('error', 'secret')).toBe('Error: string.');
  });

  it('tells the status with which a server refused, as `ws` words it', () => {
    const error = new Error('Unexpected server response: 401');
    expect(told('error', error)).toBe('Error: Error Unexpected server response: 401.');
  });
});
