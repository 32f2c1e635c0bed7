import { describe, expect, it } from 'vitest';
import { type CloseReason, NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { explain } from '../../src/report/explain.ts';

const open = { ...NEVER_DIALLED, wasOpen: true, silentFor: 35_000 };

describe('explain', () => {
  it('says what happened and all the evidence there is', () => {
    const record = {
      ...open,
      reason: 'ping-timeout',
      code: 3008,
      age: 720_000,
      quietFor: 1_200,
      missedPings: 2,
      latency: 41.2,
      bufferedAmount: 1_500,
      lateBy: 3_000,
      hidden: true,
      retryAfter: 5_000,
    } as const;
    expect(explain(record)).toBe(
      'The link was dead: nothing was received for `pingTimeout` after a ping (open for 12 min, last received 35 s before, last sent 1.2 s before, 2 pings without a pong, last latency 41 ms, 1500 bytes not sent, timers were late by 3 s, the page was hidden, the server asked to wait 5 s).',
    );
  });

  it('says nothing of what is not known', () => {
    expect(explain(NEVER_DIALLED)).toBe('The connection could not be opened.');
  });

  it('tells a broken connection from one that never was', () => {
    expect(explain({ ...open, silentFor: undefined })).toBe(
      'The connection ended without a Close frame.',
    );
  });

  it('quotes what the peer said, with no control character of its own', () => {
    const record = { ...NEVER_DIALLED, reason: 'fatal', code: 4401, text: 'bye\n"x"' } as const;
    expect(explain(record)).toBe(
      'The peer closed the connection for good with 4401 "bye\\n\\"x\\"".',
    );
  });

  it('counts one of a thing as one', () => {
    expect(explain({ ...open, missedPings: 1, bufferedAmount: 1 })).toContain(
      '1 ping without a pong, 1 byte not sent',
    );
  });

  it('has a sentence of its own for each reason', () => {
    const reasons: Record<CloseReason, true> = {
      'ping-timeout': true,
      'one-way': true,
      'max-silence': true,
      'connect-timeout': true,
      'ready-timeout': true,
      'not-ready': true,
      unanswered: true,
      'peer-close': true,
      fatal: true,
      abnormal: true,
      rotation: true,
      replaced: true,
      reconnect: true,
      parked: true,
      'no-address': true,
      user: true,
    };
    const sentences = Object.keys(reasons).map((reason) =>
      explain({ ...NEVER_DIALLED, reason: reason as CloseReason }),
    );
    expect(new Set(sentences).size).toBe(Object.keys(reasons).length);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z`].+\.$/);
  });
});
