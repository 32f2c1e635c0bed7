import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/ping/pace.ts';

/** Sends `count` pings as fast as the pace allows. Returns the times in ms. */
function sendAll(count: number): readonly number[] {
  const pace = new Pace();
  const times: number[] = [];
  for (let now = 0; times.length < count; now = pace.next(now)) times.push(now);
  return times;
}

describe('Pace', () => {
  it('sends a burst at once, then five pings per second', () => {
    const times = sendAll(125);
    expect(times[24]).toBe(0);
    expect(times[124]).toBe(20_000);
  });

  it('stays below what a server accepts by default: 50 at once, one per 200 ms', () => {
    const times = sendAll(1_000);
    const accepted = times.map((time, index) => index + 1 - time / 200);
    expect(Math.max(...accepted)).toBeLessThanOrEqual(50);
  });

  it('does not slow an interval of 200 ms or more', () => {
    const pace = new Pace();
    for (let now = 0; now < 100_000; now += 200) expect(pace.next(now)).toBe(now);
  });
});
