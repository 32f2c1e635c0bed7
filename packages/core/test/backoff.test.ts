import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { BACKOFF_SCHEMA, Backoff, type BackoffOptions } from '../src/backoff.ts';
import { refusalOf } from './refusal.ts';

const ALMOST_ONE = 1 - 2 ** -32;

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

function withRandom(value: number, options: Omit<BackoffOptions, 'random'> = {}): Backoff {
  return new Backoff({ random: () => value, ...options });
}

describe('the schema', () => {
  it('has the defaults that the documentation promises', () => {
    const { minDelay, maxDelay, factor, jitter } = BACKOFF_SCHEMA;
    expect([minDelay, maxDelay, factor, jitter].map((rule) => rule.default)).toEqual([
      500,
      30_000,
      2,
      'full',
    ]);
  });
});

describe('Backoff', () => {
  it('doubles from half a second to half a minute by default', () => {
    expect(delays(withRandom(0, { jitter: 'none' }), 8)).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });

  it('grows from minDelay by factor up to maxDelay', () => {
    const backoff = withRandom(0, { minDelay: 10, maxDelay: 500, factor: 3, jitter: 'none' });
    expect(delays(backoff, 5)).toEqual([10, 30, 90, 270, 500]);
  });

  it('does not grow with a factor of 1', () => {
    const backoff = withRandom(0, { minDelay: 10, factor: 1, jitter: 'none' });
    expect(delays(backoff, 3)).toEqual([10, 10, 10]);
  });

  it('takes [0, d) with full jitter, which is the default', () => {
    for (const options of [{}, { jitter: 'full' } as const]) {
      expect(delays(withRandom(0, options), 2)).toEqual([0, 0]);
      expect(delays(withRandom(0.5, options), 2)).toEqual([250, 500]);
      const [first = Number.NaN] = delays(withRandom(ALMOST_ONE, options), 1);
      expect(first).toBeLessThan(500);
      expect(first).toBeCloseTo(500);
    }
  });

  it('takes [d/2, d) with equal jitter', () => {
    expect(delays(withRandom(0, { jitter: 'equal' }), 2)).toEqual([250, 500]);
    expect(delays(withRandom(0.5, { jitter: 'equal' }), 2)).toEqual([375, 750]);
    const [first = Number.NaN] = delays(withRandom(ALMOST_ONE, { jitter: 'equal' }), 1);
    expect(first).toBeLessThan(500);
    expect(first).toBeCloseTo(500);
  });

  it('takes the jitter after the cap, so that attempts stay spread there', () => {
    const backoff = withRandom(0.25, { minDelay: 1_000, maxDelay: 1_000 });
    expect(delays(backoff, 3)).toEqual([250, 250, 250]);
  });

  it('draws once for each wait, and never without jitter', () => {
    const random = vi.fn(() => 0.5);
    delays(new Backoff({ random }), 3);
    expect(random).toHaveBeenCalledTimes(3);
    delays(new Backoff({ random, jitter: 'none' }), 3);
    expect(random).toHaveBeenCalledTimes(3);
  });

  it('stays within maxDelay at attempt 10 000', () => {
    for (const factor of [1, 2, 100]) {
      const all = delays(withRandom(0, { factor, maxDelay: 30_000, jitter: 'none' }), 10_000);
      expect(all.every((delay) => delay >= 500 && delay <= 30_000)).toBe(true);
    }
  });

  it('counts the delays taken', () => {
    const backoff = withRandom(0);
    expect(backoff.attempt).toBe(0);
    delays(backoff, 3);
    expect(backoff.attempt).toBe(3);
  });

  it('begins again at the first wait after reset', () => {
    const backoff = withRandom(0, { jitter: 'none' });
    delays(backoff, 5);
    backoff.reset();
    expect(backoff.attempt).toBe(0);
    expect(backoff.next()).toBe(500);
  });

  it('stays in its range whatever the options and whatever chance says', () => {
    const options = fc.record({
      minDelay: fc.integer({ min: 1, max: 1_000 }),
      maxDelay: fc.integer({ min: 1_000, max: 100_000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      jitter: fc.constantFrom('full', 'equal', 'none'),
    });
    const chance = fc.double({ min: 0, max: ALMOST_ONE, noNaN: true });
    fc.assert(
      fc.property(options, chance, fc.nat(2_000), (given, value, attempt) => {
        const backoff = new Backoff({ ...given, random: () => value });
        backoff.attempt = attempt;
        const bound = Math.min(given.maxDelay, given.minDelay * given.factor ** attempt);
        const delay = backoff.next();
        const least = { full: 0, equal: bound / 2, none: bound }[given.jitter];
        expect(delay).toBeGreaterThanOrEqual(least);
        if (given.jitter === 'none') expect(delay).toBe(bound);
        else expect(delay).toBeLessThan(bound);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the options of Backoff', () => {
  const random = () => 0;
  const refused: [options: unknown, message: string][] = [
    [undefined, 'Expected `backoff` to be an object, got `undefined` (undefined)'],
    [true, 'Expected `backoff` to be an object, got `true` (boolean)'],
    [
      { minDelay: 0 },
      'Expected `minDelay` to be a number > 0 and <= 2147483647 (ms), got `0` (number)',
    ],
    [
      { maxDelay: '1s' },
      "Expected `maxDelay` to be a number > 0 and <= 2147483647 (ms), got `'1s'` (string)",
    ],
    [
      { maxDelay: false },
      'Expected `maxDelay` to be a number > 0 and <= 2147483647 (ms), got `false` (boolean)',
    ],
    [{ factor: 0.9 }, 'Expected `factor` to be a number in [1, 100], got `0.9` (number)'],
    [{ factor: 101 }, 'Expected `factor` to be a number in [1, 100], got `101` (number)'],
    [
      { jitter: 'some' },
      "Expected `jitter` to be 'full', 'equal' or 'none', got `'some'` (string)",
    ],
    [{ jitter: false }, "Expected `jitter` to be 'full', 'equal' or 'none', got `false` (boolean)"],
    [{ random: undefined }, 'Expected `random` to be a function, got `undefined` (undefined)'],
    [{ random: 4 }, 'Expected `random` to be a function, got `4` (number)'],
    [
      { minDelay: 1_001, maxDelay: 1_000 },
      'Expected `minDelay` to be <= maxDelay (1000), got `1001` (number)',
    ],
    [{ minDelay: 30_001 }, 'Expected `minDelay` to be <= maxDelay (30000), got `30001` (number)'],
    [
      { delay: 5 },
      'Unknown option `delay`, got `5` (number): known options are minDelay, maxDelay, factor, jitter, random',
    ],
  ];

  for (const [options, message] of refused) {
    it(`refuses with: ${message}`, () => {
      const given = typeof options === 'object' ? { random, ...options } : options;
      const refusal = refusalOf(() => new Backoff(given as BackoffOptions));
      expect(refusal.message).toBe(message);
    });
  }

  it('accepts the ends of the ranges', () => {
    for (const given of [
      { factor: 1 },
      { factor: 100 },
      { minDelay: 1_000, maxDelay: 1_000 },
      { minDelay: undefined, maxDelay: undefined, factor: undefined, jitter: undefined },
    ]) {
      expect(() => new Backoff({ random, ...given } as BackoffOptions)).not.toThrow();
    }
  });
});
