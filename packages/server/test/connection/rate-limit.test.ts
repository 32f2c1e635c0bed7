import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../src/connection/rate-limit.ts';

const OPTIONS = { burst: 3, interval: 100 };

function taken(times: readonly number[]): boolean[] {
  const bucket = new RateLimit();
  return times.map((now) => bucket.take(now, OPTIONS));
}

describe('RateLimit', () => {
  it('lets a burst through at once, and no more', () => {
    expect(taken([0, 0, 0, 0, 99])).toEqual([true, true, true, false, false]);
  });

  it('lets one through an interval after that', () => {
    expect(taken([0, 0, 0, 100, 100, 199, 200])).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  it('lets a burst through again once it is full, and never more', () => {
    expect(taken([0, 0, 0, 300, 300, 300, 300, 90_000, 90_000, 90_000, 90_000])).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it('lets everything through if the burst is unlimited', () => {
    const bucket = new RateLimit();
    const all = { burst: Number.POSITIVE_INFINITY, interval: 1 };
    const passed = Array.from({ length: 10_000 }, () => bucket.take(0, all));
    expect(passed.every(Boolean)).toBe(true);
  });
});
