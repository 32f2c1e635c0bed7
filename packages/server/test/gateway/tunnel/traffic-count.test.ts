import { describe, expect, it } from 'vitest';
import { TrafficCount } from '../../../src/gateway/tunnel/traffic-count.ts';

describe('TrafficCount', () => {
  it('counts a stall once, however many connections report it', () => {
    const count = new TrafficCount();
    // The process did not run from 1000 to 3000. Timers were due in between.
    for (const due of [1_100, 1_900, 2_950]) count.stalled(3_000, 3_000 - due);
    count.stalled(3_010, 1_500); // reported a little later, due at 1510
    expect(count.counters.stalls).toBe(1);
    count.stalled(9_000, 500); // due at 8500, after the last report
    expect(count.counters.stalls).toBe(2);
  });
});
