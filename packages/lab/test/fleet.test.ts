import { describe, expect, it } from 'vitest';
import { drawHistogram, histogram, mostWithin } from '../fleet/histogram.ts';
import { mostByChance } from '../fleet/poisson.ts';
import { BUCKET, mostInBucket } from '../fleet/restart.ts';
import { TurnScheduler } from '../fleet/turn-scheduler.ts';

/** P(X > count) of a Poisson variable, summed from the other end. */
function exceeds(mean: number, count: number): number {
  let term = Math.exp(-mean);
  let sum = 0;
  for (let k = 0; k <= count; k += 1) {
    sum += term;
    term *= mean / (k + 1);
  }
  return 1 - sum;
}

describe('mostByChance', () => {
  it('is the least that is exceeded less often than once in a billion', () => {
    for (const mean of [0.5, 2, 10, 40]) {
      const most = mostByChance(mean, 1);
      expect(exceeds(mean, most)).toBeLessThan(1.001e-9);
      expect(exceeds(mean, most - 1)).toBeGreaterThan(0.99e-9);
    }
  });

  it('grows with the places, where one of them is the fullest', () => {
    expect(mostByChance(40, 50)).toBeGreaterThan(mostByChance(40, 1));
  });
});

describe('mostInBucket', () => {
  it('is twice the mean for many clients, and what chance allows for few', () => {
    expect(mostInBucket(2_000, 5_000, 0)).toBe(Math.max(80, mostByChance(40, 50)));
    expect(mostInBucket(20_000, 5_000, 0)).toBe(800);
    expect(mostInBucket(100, 5_000, 0)).toBe(mostByChance(2, 50));
  });

  it('counts in buckets of another width', () => {
    expect(mostInBucket(20_000, 5_000, 0, 2 * BUCKET)).toBe(1_600);
  });

  it('allows for what a machine that did not run kept waiting', () => {
    expect(mostInBucket(20_000, 5_000, BUCKET)).toBe(1_600);
  });
});

describe('histogram', () => {
  it('counts what falls into each piece of time, from its beginning to before its end', () => {
    expect(histogram([1_000, 1_099, 1_100, 1_350], 1_000, 100)).toEqual([2, 1, 0, 1]);
  });

  it('is drawn with a bar a piece, the longest of sixty columns', () => {
    const [first, second, third] = drawHistogram([30, 15, 0], 100).split('\n');
    expect(first).toBe(`       0 ms     30  ${'█'.repeat(60)}`);
    expect(second).toBe(`     100 ms     15  ${'█'.repeat(30)}`);
    expect(third).toBe('     200 ms      0');
  });
});

describe('mostWithin', () => {
  it('is the most in any window, wherever it begins', () => {
    expect(mostWithin([95, 0, 105, 194, 300], 100)).toBe(3);
    expect(mostWithin([0, 100], 100)).toBe(1);
    expect(mostWithin([], 100)).toBe(0);
  });
});

describe('a scheduler of turns', () => {
  it('has one instant for all that happens in a turn, and knows when it was due', async () => {
    const scheduler = new TurnScheduler();
    const start = scheduler.now();
    const seen: [now: number, due: number][] = [];
    await new Promise<void>((resolve) => {
      for (const wait of [5, 5, 1]) {
        scheduler.at(start + wait, () => {
          seen.push([scheduler.now(), scheduler.due]);
          if (seen.length === 3) resolve();
        });
      }
      const end = performance.now() + 20;
      while (performance.now() < end); // the machine is busy
    });
    const [[now] = [0]] = seen;
    expect(now).toBeGreaterThanOrEqual(start + 20);
    expect(seen.map(([, due]) => due - start).sort()).toEqual([1, 5, 5]);
    expect(new Set(seen.map(([at]) => at))).toEqual(new Set([now]));
  });
});
