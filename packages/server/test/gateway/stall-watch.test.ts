import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { StallWatch } from '../../src/gateway/stall-watch.ts';

describe('StallWatch', () => {
  it('remembers the last time that nothing ran', () => {
    const scheduler = new VirtualScheduler();
    const watch = new StallWatch(scheduler);
    watch.start();
    scheduler.advance(10_000);
    expect(watch.last).toBeUndefined();
    scheduler.stall(5_000);
    scheduler.advance(0);
    expect(watch.last?.lateBy).toBeGreaterThan(4_000);
    scheduler.advance(3_000);
    expect(watch.last?.endedFor).toBe(3_000);
  });

  it('leaves no timer behind', () => {
    const scheduler = new VirtualScheduler();
    const watch = new StallWatch(scheduler);
    watch.start();
    watch.start();
    scheduler.advance(2_000);
    expect(scheduler.pending).toBe(1);
    watch.stop();
    expect(scheduler.pending).toBe(0);
  });
});
