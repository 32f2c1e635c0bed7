import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RttEstimator } from '../../src/machine/rtt-estimator.ts';

function estimatorAfter(...samples: number[]): RttEstimator {
  const rtt = new RttEstimator();
  for (const sample of samples) rtt.sample(sample);
  return rtt;
}

describe('RttEstimator', () => {
  it('knows nothing before the first sample', () => {
    const { latest, smoothed, minimum, variation } = new RttEstimator();
    expect({ latest, smoothed, minimum, variation }).toEqual({
      latest: undefined,
      smoothed: undefined,
      minimum: undefined,
      variation: 0,
    });
  });

  // RFC 6298 (2.1)
  it('expects the initial timeout before the first sample', () => {
    expect(new RttEstimator().timeout(3_000)).toBe(3_000);
  });

  // RFC 6298 (2.2): SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 RTTVAR
  it('begins with the first sample and half of it as variation', () => {
    const rtt = estimatorAfter(100);
    expect(rtt).toMatchObject({ latest: 100, smoothed: 100, variation: 50, minimum: 100 });
    expect(rtt.timeout(3_000)).toBe(300);
  });

  // RFC 6298 (2.3): RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT = 7/8 SRTT + 1/8 R'
  it('takes the variation against the old smoothed value', () => {
    const rtt = estimatorAfter(100, 180);
    expect(rtt).toMatchObject({ latest: 180, variation: 57.5, smoothed: 110, minimum: 100 });
    expect(rtt.timeout(3_000)).toBe(340);
  });

  it('counts a sample below the average as variation too', () => {
    expect(estimatorAfter(100, 28)).toMatchObject({ variation: 55.5, smoothed: 91, minimum: 28 });
  });

  it('begins anew when an answer is more than four times as quick as the average', () => {
    expect(estimatorAfter(740, 31)).toMatchObject({ variation: 15.5, smoothed: 31, minimum: 31 });
    expect(estimatorAfter(100, 25)).toMatchObject({ variation: 56.25, smoothed: 90.625 });
  });

  it('is not slow for long after one slow answer among quick ones', () => {
    expect(estimatorAfter(1, 1, 5_000, 1).timeout(3_000)).toBeLessThan(10);
    expect(estimatorAfter(100, 100, 5_000, 110).timeout(3_000)).toBeLessThan(400);
  });

  it('keeps the smallest sample', () => {
    expect(estimatorAfter(100, 20, 60).minimum).toBe(20);
    expect(estimatorAfter(100, 20, 60).latest).toBe(60);
  });

  it('takes a first sample of 0 as a sample', () => {
    const rtt = estimatorAfter(0, 80);
    expect(rtt).toMatchObject({ smoothed: 10, variation: 20, minimum: 0 });
    expect(estimatorAfter(0).timeout(3_000)).toBe(0);
  });

  it('leaves out a sample that is no time', () => {
    for (const sample of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(estimatorAfter(sample).latest).toBeUndefined();
      expect(estimatorAfter(100, sample)).toMatchObject({ latest: 100, smoothed: 100 });
    }
  });

  it('keeps whole microseconds', () => {
    const { latest, smoothed, variation, minimum } = estimatorAfter(0.123_456);
    expect([latest, smoothed, variation, minimum]).toEqual([0.123, 0.123, 0.062, 0.123]);
    const later = estimatorAfter(1, 1.001);
    expect([later.smoothed, later.variation]).toEqual([1, 0.375]);
  });

  it('rounds to the nearest of them, up as well', () => {
    expect(estimatorAfter(0.123_6).latest).toBe(0.124);
    // Of 1 000 and 500 µs: SRTT + 7/8 µs, RTTVAR + (7 - 500)/4 µs
    expect(estimatorAfter(1, 1.007)).toMatchObject({ smoothed: 1.001, variation: 0.377 });
  });

  it('takes a microsecond as a sample', () => {
    const rtt = estimatorAfter(0.001);
    expect(rtt).toMatchObject({ latest: 0.001, smoothed: 0.001, minimum: 0.001 });
    expect(rtt.timeout(3_000)).toBe(0);
  });

  it('expects whole milliseconds', () => {
    expect(estimatorAfter(0.2).timeout(3_000)).toBe(1); // 0.2 + 4 × 0.1
    expect(estimatorAfter(0.1).timeout(3_000)).toBe(0);
  });

  it('settles on a latency that does not vary', () => {
    const rtt = estimatorAfter(500, ...Array.from({ length: 100 }, () => 40));
    expect(rtt.smoothed).toBeCloseTo(40, 1);
    expect(rtt.timeout(3_000)).toBeCloseTo(40, 1);
  });

  it('stays between the smallest and the largest sample', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1 });
    fc.assert(
      fc.property(samples, (given) => {
        const { smoothed = Number.NaN, variation, minimum } = estimatorAfter(...given);
        expect(minimum).toBe(Math.min(...given));
        expect(smoothed).toBeGreaterThanOrEqual(Math.min(...given) - 1e-6);
        expect(smoothed).toBeLessThanOrEqual(Math.max(...given) + 1e-6);
        expect(variation).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('is the same after its values were saved and loaded', () => {
    const estimator = new RttEstimator();
    const words = new Int32Array(6);
    estimator.save(words, 1);
    expect([...words]).toEqual([0, -1, -1, 0, -1, 0]);
    for (const rtt of [40, 20.5, 100]) estimator.sample(rtt);
    estimator.save(words, 1);
    const loaded = new RttEstimator();
    loaded.load(words, 1);
    expect(loaded).toEqual(estimator);
    expect(loaded.timeout(0)).toBe(estimator.timeout(0));
    expect(loaded.minimum).toBe(20.5);
  });
});
