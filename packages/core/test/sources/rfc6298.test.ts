// V. Paxson et al., "Computing TCP's Retransmission Timer", RFC 6298.
import { expect, it } from 'vitest';
import { RttEstimator } from '../../src/machine/rtt-estimator.ts';

it('§2.1: until a measurement has been made, the timeout is the initial one', () => {
  expect(new RttEstimator().timeout(3_000)).toBe(3_000);
});

it('§2.2: the first measurement R makes SRTT R and RTTVAR R/2', () => {
  const rtt = new RttEstimator();
  rtt.sample(100);
  expect(rtt).toMatchObject({ smoothed: 100_000, variation: 50_000 });
  expect(rtt.timeout(3_000)).toBe(100 + 4 * 50);
});

it('§2.3: the next one R′ takes RTTVAR against the old SRTT, with beta 1/4 and alpha 1/8', () => {
  const rtt = new RttEstimator();
  rtt.sample(100);
  rtt.sample(180);
  expect(rtt.variation).toBe((1 - 1 / 4) * 50_000 + (1 / 4) * Math.abs(100_000 - 180_000)); // in µs;
  expect(rtt.smoothed).toBe((1 - 1 / 8) * 100_000 + (1 / 8) * 180_000);
});
