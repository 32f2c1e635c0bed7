import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LifecycleListener } from '../../src/page/page-lifecycle.ts';
import { type CloseRecord, NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { type ReconnectOptions, resolveReconnectOptions } from '../../src/reconnect/options.ts';
import { RetryPolicy } from '../../src/reconnect/retry-policy.ts';
import { reportedErrors } from '../reported-errors.ts';

afterEach(() => vi.unstubAllGlobals());

function stage(options: ReconnectOptions = {}) {
  const scheduler = new VirtualScheduler();
  const listeners = new Set<LifecycleListener>();
  const lifecycle = {
    watch(listener: LifecycleListener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const dialled: number[] = [];
  const resolved = resolveReconnectOptions({
    scheduler,
    lifecycle,
    random: () => 0.5,
    ...options,
  });
  const wait = new RetryPolicy(resolved, () => dialled.push(scheduler.now()));
  const hint = () => {
    for (const listener of [...listeners]) {
      listener.state('hidden');
      listener.hint();
    }
  };
  return { scheduler, listeners, wait, dialled, hint };
}

const lost = (record: Partial<CloseRecord> = {}): CloseRecord => ({ ...NEVER_DIALLED, ...record });

describe('RetryPolicy', () => {
  it('waits by the backoff, then dials', () => {
    const { scheduler, listeners, wait, dialled } = stage();
    expect(wait.begin(lost())).toBe(250);
    scheduler.advance(249);
    expect(dialled).toEqual([]);
    scheduler.advance(1);
    expect(dialled).toEqual([250]);
    expect(wait.begin(lost())).toBe(500);
    wait.cancel();
    expect([scheduler.pending, listeners.size]).toEqual([0, 0]);
  });

  it.each([
    [undefined, 250],
    [0, 250],
    [249, 250],
    [1_000, 1_000],
    [600_000, 600_000],
    [600_001, 600_000],
    [Number.POSITIVE_INFINITY, 600_000],
  ])('asked by the server to wait for %s waits for %d', (retryAfter, delay) => {
    expect(stage().wait.begin(lost({ retryAfter }))).toBe(delay);
  });

  it.each(['rotation', 'reconnect'] as const)('does not wait after a %s', (reason) => {
    const { wait, listeners } = stage();
    expect(wait.begin(lost({ reason }))).toBe(0);
    expect(wait.backoff.attempt).toBe(0);
    expect(listeners.size).toBe(0);
  });

  it('ends by a hint, and hears no more of them', () => {
    const { scheduler, wait, dialled, hint, listeners } = stage();
    wait.begin(lost());
    scheduler.advance(100);
    hint();
    expect(dialled).toEqual([100]);
    expect([scheduler.pending, listeners.size]).toEqual([0, 0]);
  });

  it('does not end by a hint while offline, or before the time that the server asked for', () => {
    const { wait, dialled, hint, listeners } = stage();
    vi.stubGlobal('navigator', { onLine: false });
    expect(wait.begin(lost())).toBe(30_000);
    hint();
    expect(dialled).toEqual([]);
    vi.stubGlobal('navigator', {});
    hint();
    expect(dialled).toEqual([0]);
    wait.begin(lost({ retryAfter: 5_000 }));
    expect(listeners.size).toBe(0);
  });

  it('counts nothing while offline', () => {
    const { wait } = stage({ backoff: { maxDelay: 9_000 } });
    vi.stubGlobal('navigator', { onLine: false });
    expect([wait.begin(lost()), wait.backoff.attempt]).toEqual([9_000, 0]);
  });

  it('watches nothing with lifecycle: false', () => {
    const { wait, scheduler } = stage({ lifecycle: false });
    wait.begin(lost());
    expect(scheduler.pending).toBe(1);
  });

  it('dials at once when it is ended', () => {
    const { scheduler, wait, dialled } = stage();
    wait.end();
    wait.begin(lost());
    wait.end();
    scheduler.advance(1_000);
    expect(dialled).toEqual([0, 0]);
  });

  describe('finds another attempt worth it', () => {
    it('as shouldReconnect says, of the record', () => {
      const { wait } = stage({ shouldReconnect: ({ code }) => code !== 1001 });
      expect(wait.isWorth(lost())).toBe(true);
      expect(wait.isWorth(lost({ code: 1001 }))).toBe(false);
    });

    it('up to maxAttempts', () => {
      const { wait } = stage({ maxAttempts: 1 });
      expect(wait.isWorth(lost())).toBe(true);
      wait.backoff.next();
      expect(wait.isWorth(lost())).toBe(false);
      vi.stubGlobal('navigator', { onLine: false });
      expect(wait.isWorth(lost())).toBe(true);
    });

    it('never with maxAttempts: 0, but after a planned end', () => {
      const { wait } = stage({ maxAttempts: 0, shouldReconnect: () => false });
      vi.stubGlobal('navigator', { onLine: false });
      expect(wait.isWorth(lost())).toBe(false);
      expect(wait.isWorth(lost({ reason: 'rotation' }))).toBe(true);
    });

    it('when shouldReconnect throws, and reports that', async () => {
      const { wait } = stage({
        shouldReconnect: () => {
          throw new Error('a mistake');
        },
      });
      const errors = await reportedErrors(() => expect(wait.isWorth(lost())).toBe(true));
      expect(errors.map(String)).toEqual(['Error: a mistake']);
    });
  });
});
