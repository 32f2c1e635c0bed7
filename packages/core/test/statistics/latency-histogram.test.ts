import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../../src/statistics/latency-histogram.ts';
import { RUNS } from '../simulation.ts';

const RELATIVE_ERROR = 0.02;
const ROUNDING = 1e-9;

function recorded(latencies: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latency of latencies) histogram.record(latency);
  return histogram;
}

/** By the nearest rank, as the histogram has it. */
function exactPercentile(latencies: readonly number[], p: number): number {
  const sorted = latencies.toSorted((one, other) => one - other);
  return sorted[Math.max(1, Math.ceil((p * sorted.length) / 100)) - 1] ?? Number.NaN;
}

/** The part by which what is reported differs from what is true. */
function errorOf(reported: number | undefined, exact: number): number {
  return Math.abs((reported ?? Number.NaN) - exact) / exact;
}

/** Each octave of the range as likely as the next. */
const latency = fc
  .double({ min: Math.log(0.01), max: Math.log(600_000), noNaN: true })
  .map((logarithm) => Math.min(600_000, Math.max(0.01, Math.exp(logarithm))));
const latencies = fc.array(latency, { minLength: 1, maxLength: 200 });
const percent = fc.double({ min: 0, max: 100, noNaN: true });

describe('LatencyHistogram', () => {
  it('is at most 2 % off the exact percentile', () => {
    fc.assert(
      fc.property(latencies, percent, (all, p) => {
        const error = errorOf(recorded(all).percentile(p), exactPercentile(all, p));
        expect(error).toBeLessThanOrEqual(RELATIVE_ERROR + ROUNDING);
      }),
      { numRuns: RUNS },
    );
  });

  it('is that all over its range, and not much better, so that no bucket is wasted', () => {
    let worst = 0;
    for (let point = 0.01; point <= 600_000; point *= 1.0007) {
      worst = Math.max(worst, errorOf(recorded([point]).percentile(50), point));
    }
    expect(worst).toBeLessThanOrEqual(RELATIVE_ERROR + ROUNDING);
    expect(worst).toBeGreaterThan(0.9 * RELATIVE_ERROR);
  });

  it('takes the nearest rank: the least latency that so many do not exceed', () => {
    const histogram = recorded(Array.from({ length: 100 }, (_, index) => index + 1));
    const near = (p: number) => histogram.percentile(p);
    for (const p of [1, 50, 95, 99, 100]) {
      expect(errorOf(near(p), p)).toBeLessThanOrEqual(RELATIVE_ERROR + ROUNDING);
    }
    expect(near(0)).toBe(near(1));
    expect(near(49.5)).toBe(near(50));
    expect(near(94.1)).toBe(near(95));
  });

  it('never falls as the percentage rises', () => {
    fc.assert(
      fc.property(latencies, percent, percent, (all, one, other) => {
        const histogram = recorded(all);
        const low = histogram.percentile(Math.min(one, other)) ?? Number.NaN;
        expect(histogram.percentile(Math.max(one, other))).toBeGreaterThanOrEqual(low);
      }),
      { numRuns: RUNS },
    );
  });

  it('has no percentile until the first latency, or outside [0, 100]', () => {
    expect(recorded([]).percentile(50)).toBeUndefined();
    for (const p of [-0.001, 100.001, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(recorded([1]).percentile(p)).toBeUndefined();
    }
  });

  it('counts what lies outside its range as the end it lies beyond', () => {
    const [least, most] = [recorded([0.01]).percentile(50), recorded([600_000]).percentile(50)];
    for (const small of [0, -0, Number.MIN_VALUE, 0.001]) {
      expect(recorded([small]).percentile(50)).toBe(least);
    }
    for (const large of [600_001, 1e15, Number.MAX_VALUE]) {
      expect(recorded([large]).percentile(50)).toBe(most);
    }
    expect(errorOf(least, 0.01)).toBeLessThanOrEqual(RELATIVE_ERROR + ROUNDING);
    expect(errorOf(most, 600_000)).toBeLessThanOrEqual(RELATIVE_ERROR + ROUNDING);
  });

  it('passes over what is no latency', () => {
    const histogram = recorded([Number.NaN, -1, -1e-9, Number.POSITIVE_INFINITY]);
    expect(histogram.count).toBe(0);
    expect(histogram.percentile(50)).toBeUndefined();
    histogram.record(7);
    expect(histogram.count).toBe(1);
    expect(errorOf(histogram.percentile(0), 7)).toBeLessThanOrEqual(RELATIVE_ERROR + ROUNDING);
  });

  it('counts each latency', () => {
    const histogram = recorded([1, 1, 1, 500]);
    expect(histogram.count).toBe(4);
    expect(histogram.percentile(75)).toBe(recorded([1]).percentile(50));
    expect(histogram.percentile(76)).toBe(recorded([500]).percentile(50));
  });

  it('says after a merge what one histogram would say of all', () => {
    fc.assert(
      fc.property(latencies, latencies, percent, (some, others, p) => {
        const merged = recorded(some);
        const other = recorded(others);
        merged.merge(other);
        expect(merged.count).toBe(some.length + others.length);
        expect(merged.percentile(p)).toBe(recorded([...some, ...others]).percentile(p));
        expect(other.count).toBe(others.length);
      }),
      { numRuns: RUNS },
    );
  });

  it('counts on beyond 32 bits', () => {
    const histogram = recorded([1, 100]);
    for (let doubling = 0; doubling < 40; doubling += 1) histogram.merge(histogram);
    expect(histogram.count).toBe(2 ** 41);
    expect(histogram.percentile(50)).toBe(recorded([1]).percentile(50));
  });

  it('begins anew after a reset', () => {
    const histogram = recorded([1, 2, 3]);
    histogram.reset();
    expect(histogram.count).toBe(0);
    expect(histogram.percentile(50)).toBeUndefined();
    histogram.record(200);
    expect(histogram.percentile(0)).toBe(recorded([200]).percentile(0));
  });
});
