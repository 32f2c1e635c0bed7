import { describe, expect, it } from 'vitest';
import { RttEstimator } from '../src/rtt-estimator.ts';
import { Suspicion } from '../src/suspicion.ts';

function rtt(...samples: number[]): RttEstimator {
  const estimator = new RttEstimator();
  for (const sample of samples) estimator.sample(sample);
  return estimator;
}

describe('Suspicion', () => {
  it('waits 3 s before the first sample', () => {
    expect(new Suspicion().wait(rtt(), 10_000)).toBe(3_000);
  });

  it('waits SRTT + 4 × RTTVAR, in [1 s, pingTimeout]', () => {
    const waits = [rtt(10), rtt(1_000), rtt(9_000)].map((each) =>
      new Suspicion().wait(each, 10_000),
    );
    expect(waits).toEqual([1_000, 3_000, 10_000]);
  });

  it('waits twice as long after each false suspicion, up to eight times', () => {
    const suspicion = new Suspicion();
    const waits = [1, 2, 3, 4, 5].map(() => {
      suspicion.wasFalse();
      return suspicion.wait(rtt(10), 60_000);
    });
    expect(waits).toEqual([2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  it('waits half as long after 32 answers in time, down to once', () => {
    const suspicion = new Suspicion();
    suspicion.wasFalse();
    suspicion.wasFalse();
    const waits = Array.from({ length: 97 }, () => {
      suspicion.wasTimely();
      return suspicion.wait(rtt(10), 60_000);
    });
    expect([waits[30], waits[31], waits[62], waits[63], waits[96]]).toEqual([
      4_000, 2_000, 2_000, 1_000, 1_000,
    ]);
  });

  it('counts those 32 anew after a false suspicion', () => {
    const suspicion = new Suspicion();
    suspicion.wasFalse();
    for (let answers = 0; answers < 31; answers += 1) suspicion.wasTimely();
    suspicion.wasFalse();
    suspicion.wasTimely();
    expect(suspicion.wait(rtt(10), 60_000)).toBe(4_000);
  });

  it('is not changed where nothing was suspected', () => {
    for (let answers = 0; answers < 100; answers += 1) Suspicion.initial.wasTimely();
    expect(Suspicion.initial.wait(rtt(10), 60_000)).toBe(1_000);
  });
});
