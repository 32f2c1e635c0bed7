import { describe, expect, it } from 'vitest';
import { type CloseRecord, NEVER_DIALLED } from '../../../src/reconnect/close-record.ts';
import { type RetryOptions, RetryPolicy } from '../../../src/reconnect/machine/retry-policy.ts';

function policy(options: Partial<RetryOptions> = {}): RetryPolicy {
  return new RetryPolicy({
    backoff: { random: () => 0.5 },
    maxAttempts: Number.POSITIVE_INFINITY,
    shouldReconnect: () => true,
    isOffline: () => false,
    ...options,
  });
}

const lost = (record: Partial<CloseRecord> = {}): CloseRecord => ({ ...NEVER_DIALLED, ...record });

describe('RetryPolicy', () => {
  it('waits longer after each attempt, until it is reset', () => {
    const retry = policy();
    const delays = [1, 2, 3].map(() => retry.next(lost()).delay);
    expect([...delays, retry.attempt]).toEqual([250, 500, 1_000, 3]);
    retry.reset();
    expect([retry.attempt, retry.next(lost()).delay]).toEqual([0, 250]);
  });

  it.each([
    [undefined, 250, true],
    [0, 250, true],
    [249, 250, true],
    [250, 250, true],
    [1_000, 1_000, false],
    [600_000, 600_000, false],
    [600_001, 600_000, false],
    [Number.POSITIVE_INFINITY, 600_000, false],
  ])('if the server asks for %s, waits for %d', (retryAfter, delay, isHintable) => {
    expect(policy().next(lost({ retryAfter }))).toEqual({ delay, isHintable });
  });

  it.each(['rotation', 'reconnect'] as const)('does not wait after a %s', (reason) => {
    const retry = policy();
    expect(retry.next(lost({ reason }))).toEqual({ delay: 0, isHintable: false });
    expect(retry.attempt).toBe(0);
  });

  it('waits for maxDelay while offline, and does not count the attempt', () => {
    const isOffline = () => true;
    const retry = policy({ isOffline, backoff: { random: () => 0.5, maxDelay: 9_000 } });
    expect([retry.next(lost()), retry.attempt]).toEqual([{ delay: 9_000, isHintable: true }, 0]);
    expect(policy({ isOffline }).next(lost()).delay).toBe(30_000);
  });

  describe('makes another attempt', () => {
    it('if shouldReconnect returns true for the record', () => {
      const retry = policy({ shouldReconnect: ({ code }) => code !== 1001 });
      expect(retry.isWorth(lost())).toBe(true);
      expect(retry.isWorth(lost({ code: 1001 }))).toBe(false);
    });

    it('until maxAttempts, which does not count while offline', () => {
      let isOffline = false;
      const retry = policy({ maxAttempts: 1, isOffline: () => isOffline });
      expect(retry.isWorth(lost())).toBe(true);
      retry.next(lost());
      expect(retry.isWorth(lost())).toBe(false);
      isOffline = true;
      expect(retry.isWorth(lost())).toBe(true);
    });

    it('never with maxAttempts: 0, except after a planned end', () => {
      const options = { maxAttempts: 0, shouldReconnect: () => false, isOffline: () => true };
      expect(policy(options).isWorth(lost())).toBe(false);
      expect(policy(options).isWorth(lost({ reason: 'rotation' }))).toBe(true);
    });
  });
});
