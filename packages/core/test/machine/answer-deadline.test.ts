import { describe, expect, it } from 'vitest';
import { AnswerDeadline } from '../../src/machine/answer-deadline.ts';

describe('Silence', () => {
  it('suspects and times out so long after it began', () => {
    expect(new AnswerDeadline(100, 1_000, 4_000, false)).toMatchObject({
      since: 100,
      suspectAt: 1_100,
      timeoutAt: 4_100,
      isDeferred: false,
    });
  });

  it('can be hurried to suspect, and not be slowed', () => {
    const silence = new AnswerDeadline(0, 1_000, 4_000, false);
    silence.hurry(2_000);
    expect(silence.suspectAt).toBe(1_000);
    silence.hurry(500);
    expect(silence.suspectAt).toBe(500);
  });

  it('gives a ping behind a backlog its time anew while that drains', () => {
    const silence = new AnswerDeadline(0, 1_000, 4_000, true);
    silence.defer(4_000, 4_000, true);
    expect(silence).toMatchObject({ timeoutAt: 8_000, isDeferred: true });
    silence.defer(8_000, 4_000, false);
    expect(silence).toMatchObject({ timeoutAt: 12_000, isDeferred: false });
  });

  it('gives it five times its time in all', () => {
    const silence = new AnswerDeadline(0, 1_000, 4_000, true);
    for (let now = 4_000; silence.isDeferred; now += 3_000) silence.defer(now, 4_000, true);
    expect(silence.timeoutAt).toBe(20_000);
  });
});
