import { describe, expect, it } from 'vitest';
import { RttEstimator } from '../../src/machine/rtt-estimator.ts';
import { SuspectWait } from '../../src/machine/suspect-wait.ts';

function rtt(...samples: number[]): RttEstimator {
  const estimator = new RttEstimator();
  for (const sample of samples) estimator.sample(sample);
  return estimator;
}

const MINUTE = 60_000;

/** How long it waits where an answer takes 10 ms, so that the floor, 1 s here, is what is multiplied. */
function floorOf(suspicion: SuspectWait, now: number, pingTimeout = 60_000): number {
  return suspicion.wait(rtt(10), 1_000, pingTimeout, now);
}

describe('SuspectWait', () => {
  it('waits 3 s before the first sample', () => {
    expect(new SuspectWait().wait(rtt(), 1_000, 10_000, 0)).toBe(3_000);
  });

  it('waits SRTT + 4 × RTTVAR, in [suspectAfter, pingTimeout]', () => {
    const waits = [rtt(10), rtt(1_000), rtt(9_000)].map((each) =>
      new SuspectWait().wait(each, 1_000, 10_000, 0),
    );
    expect(waits).toEqual([1_000, 3_000, 10_000]);
  });

  it('waits a quarter longer after each false suspicion', () => {
    const suspicion = new SuspectWait();
    const waits = [1, 2, 3].map(() => {
      suspicion.wasFalse(500);
      return floorOf(suspicion, 500);
    });
    expect(waits).toEqual([1_250, 1_563, 1_953]);
  });

  it('waits twenty times as long at most, and never past pingTimeout', () => {
    const suspicion = new SuspectWait();
    for (let times = 0; times < 100; times += 1) suspicion.wasFalse(0);
    expect(floorOf(suspicion, 0)).toBe(20_000);
    expect(floorOf(suspicion, 0, 5_000)).toBe(5_000);
  });

  it('forgets one false suspicion every 15 min, down to none', () => {
    const suspicion = new SuspectWait();
    suspicion.wasFalse(MINUTE);
    suspicion.wasFalse(MINUTE);
    const waits = [16, 31, 32, 500].map((minutes) => floorOf(suspicion, minutes * MINUTE));
    expect(waits).toEqual([1_250, 1_000, 1_000, 1_000]);
  });

  it('forgets gradually', () => {
    const suspicion = new SuspectWait();
    suspicion.wasFalse(0);
    const halfway = floorOf(suspicion, 7.5 * MINUTE);
    expect(halfway).toBe(Math.round(1_000 * Math.sqrt(1.25)));
    suspicion.wasFalse(7.5 * MINUTE);
    expect(floorOf(suspicion, 7.5 * MINUTE)).toBe(Math.round(1_250 * Math.sqrt(1.25)));
  });

  it('settles where false suspicions come as often as they are forgotten', () => {
    const suspicion = new SuspectWait();
    let count = 0;
    // An outage of 3 s every five minutes: twelve an hour, for a day.
    for (let now = 0; now < 24 * 60 * MINUTE; now += 5 * MINUTE) {
      if (floorOf(suspicion, now) >= 3_000) continue;
      suspicion.wasFalse(now);
      count += 1;
    }
    expect(count / 24).toBeLessThan(4.3);
    expect(count / 24).toBeGreaterThan(3.9);
    expect(floorOf(suspicion, 24 * 60 * MINUTE)).toBeGreaterThan(2_000);
  });

  it('does not grow where time runs backwards', () => {
    const suspicion = new SuspectWait();
    suspicion.wasFalse(60 * MINUTE);
    expect(floorOf(suspicion, 0)).toBe(1_250);
  });

  it('is not changed where nothing was suspected', () => {
    expect(floorOf(new SuspectWait(), 24 * 60 * MINUTE)).toBe(1_000);
  });

  it('says whether a false suspicion still makes the wait longer', () => {
    const suspicion = new SuspectWait();
    expect(suspicion.patienceAt(0)).toBe(1);
    suspicion.wasFalse(0);
    expect(suspicion.patienceAt(800_000)).toBeGreaterThan(1);
    expect(suspicion.patienceAt(900_000)).toBe(1);
  });
});
