import { describe, expect, it } from 'vitest';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { WallClock } from '../../src/testing/wall-clock.ts';

describe('WallClock', () => {
  it('begins where it is told to, whatever the monotonic time is, and runs with that', () => {
    const time = new VirtualScheduler(12_345);
    const clock = new WallClock(time, 1_000_000);
    expect(clock.now()).toBe(1_000_000);
    time.advance(250);
    expect(clock.now()).toBe(1_000_250);
  });

  it('shows a date of our days if it is told nothing', () => {
    expect(new WallClock(new VirtualScheduler()).now()).toBe(Date.UTC(2026, 0, 1));
  });

  it('tells whole milliseconds, as Date.now() does', () => {
    const time = new VirtualScheduler();
    const clock = new WallClock(time, 1_000);
    time.advance(0.9);
    expect(clock.now()).toBe(1_000);
    time.advance(0.1);
    expect(clock.now()).toBe(1_001);
  });

  it('jumps forward and backward, and monotonic time does not', () => {
    const time = new VirtualScheduler();
    const clock = new WallClock(time, 1_000);
    clock.jump(3_600_000);
    expect(clock.now()).toBe(3_601_000);
    clock.jump(-3_601_000);
    expect(clock.now()).toBe(0);
    expect(time.now()).toBe(0);
    time.advance(5);
    expect(clock.now()).toBe(5);
  });
});
