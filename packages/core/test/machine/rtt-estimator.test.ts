import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RttEstimator } from '../../src/machine/rtt-estimator.ts';

function estimatorAfter(...samples: number[]): RttEstimator {
  const rtt = new RttEstimator();
  for (const sample of samples) rtt.sample(sample);
  return rtt;
}

/** Its fields in ms. */
function millisAfter(...samples: number[]) {
  const { latest, smoothed, variation } = estimatorAfter(...samples);
  return { latest: latest / 1_000, smoothed: smoothed / 1_000, variation: variation / 1_000 };
}

describe('RttEstimator', () => {
  it('is negative before the first sample', () => {
    expect(new RttEstimator()).toMatchObject({ latest: -1, smoothed: -1, variation: 0 });
  });

  // RFC 6298 (2.1)
  it('expects the initial timeout before the first sample', () => {
    expect(new RttEstimator().timeout(3_000)).toBe(3_000);
  });

  // RFC 6298 (2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR
  it('begins with the first sample and half of it as variation', () => {
    expect(millisAfter(100)).toEqual({ latest: 100, smoothed: 100, variation: 50 });
    expect(estimatorAfter(100).timeout(3_000)).toBe(300);
  });

  // RFC 6298 (2.3): RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT = 7/8 SRTT + 1/8 R'
  it('takes the variation against the old smoothed value', () => {
    expect(millisAfter(100, 180)).toEqual({ latest: 180, variation: 57.5, smoothed: 110 });
    expect(estimatorAfter(100, 180).timeout(3_000)).toBe(340);
  });

  it('counts a sample below the average as variation too', () => {
    expect(millisAfter(100, 28)).toEqual({ latest: 28, variation: 55.5, smoothed: 91 });
  });

  it('begins anew when an answer is more than four times as quick as the average', () => {
    expect(millisAfter(740, 31)).toMatchObject({ variation: 15.5, smoothed: 31 });
    expect(millisAfter(100, 25)).toMatchObject({ variation: 56.25, smoothed: 90.625 });
  });

  it('is not slow for long after one slow answer among quick ones', () => {
    expect(estimatorAfter(1, 1, 5_000, 1).timeout(3_000)).toBeLessThan(10);
    expect(estimatorAfter(100, 100, 5_000, 110).timeout(3_000)).toBeLessThan(400);
  });

  it('takes a first sample of 0 as a sample', () => {
    expect(millisAfter(0, 80)).toMatchObject({ smoothed: 10, variation: 20 });
    expect(estimatorAfter(0).timeout(3_000)).toBe(0);
  });

  it('leaves out a sample that is no time', () => {
    for (const sample of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(estimatorAfter(sample).latest).toBe(-1);
      expect(millisAfter(100, sample)).toMatchObject({ latest: 100, smoothed: 100 });
    }
  });

  it('keeps whole microseconds', () => {
    expect(estimatorAfter(0.123_456)).toEqual({ latest: 123, smoothed: 123, variation: 62 });
    expect(estimatorAfter(1, 1.001)).toMatchObject({ smoothed: 1_000, variation: 375 });
  });

  it('rounds to the nearest of them, up as well', () => {
    expect(estimatorAfter(0.123_6).latest).toBe(124);
    // Of 1 000 and 500 µs: SRTT + 7/8 µs, RTTVAR + (7 - 500)/4 µs
    expect(estimatorAfter(1, 1.007)).toMatchObject({ smoothed: 1_001, variation: 377 });
  });

  it('takes a microsecond as a sample', () => {
    const rtt = estimatorAfter(0.001);
    expect(rtt).toMatchObject({ latest: 1, smoothed: 1 });
    expect(rtt.timeout(3_000)).toBe(0);
  });

  it('expects whole milliseconds', () => {
    expect(estimatorAfter(0.2).timeout(3_000)).toBe(1); // 0.2 + 4 × 0.1
    expect(estimatorAfter(0.1).timeout(3_000)).toBe(0);
  });

  it('settles on a latency that does not vary', () => {
    const rtt = estimatorAfter(500, ...Array.from({ length: 100 }, () => 40));
    expect(rtt.smoothed / 1_000).toBeCloseTo(40, 1);
    expect(rtt.timeout(3_000)).toBeCloseTo(40, 1);
  });

  it('stays between the smallest and the largest sample', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1 });
    fc.assert(
      fc.property(samples, (given) => {
        const { smoothed, variation } = millisAfter(...given);
        expect(smoothed).toBeGreaterThanOrEqual(Math.min(...given) - 1e-6);
        expect(smoothed).toBeLessThanOrEqual(Math.max(...given) + 1e-6);
        expect(variation).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
