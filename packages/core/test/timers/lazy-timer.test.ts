import { describe, expect, it, vi } from 'vitest';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { LazyTimer } from '../../src/timers/lazy-timer.ts';

function setUp() {
  const scheduler = new VirtualScheduler();
  const timers = vi.spyOn(scheduler, 'at');
  const rung: number[] = [];
  const alarm: LazyTimer = new LazyTimer(scheduler, () => {
    rung.push(scheduler.now());
  });
  return { scheduler, timers, rung, alarm };
}

describe('LazyTimer', () => {
  it('rings once, at the instant set', () => {
    const { scheduler, rung, alarm } = setUp();
    alarm.set(100);
    scheduler.advance(99);
    expect(rung).toEqual([]);
    scheduler.advance(1_000);
    expect(rung).toEqual([100]);
  });

  it('does not ring before it is set', () => {
    const { scheduler, rung } = setUp();
    scheduler.advance(1_000_000);
    expect(rung).toEqual([]);
    expect(scheduler.pending).toBe(0);
  });

  it('rings earlier when it is set earlier', () => {
    const { scheduler, rung, alarm } = setUp();
    alarm.set(100);
    alarm.set(40);
    scheduler.advance(200);
    expect(rung).toEqual([40]);
    expect(scheduler.pending).toBe(0);
  });

  it('touches no timer when the deadline moves later or stays: it rings at the first', () => {
    const { scheduler, timers, rung, alarm } = setUp();
    alarm.set(100);
    for (let due = 100; due < 200; due += 1) alarm.set(due);
    expect(timers).toHaveBeenCalledTimes(1);
    scheduler.advance(500);
    expect(rung).toEqual([100]);
  });

  it('has never more than one timer', () => {
    const { scheduler, alarm } = setUp();
    for (const due of [100, 90, 200, 80, 10]) {
      alarm.set(due);
      expect(scheduler.pending).toBe(1);
    }
  });

  it('is set anew by the ring itself, for the rest', () => {
    const scheduler = new VirtualScheduler();
    const rung: number[] = [];
    const alarm: LazyTimer = new LazyTimer(scheduler, () => {
      rung.push(scheduler.now());
      if (scheduler.now() < 300) alarm.set(scheduler.now() + 100);
    });
    alarm.set(100);
    scheduler.advance(1_000);
    expect(rung).toEqual([100, 200, 300]);
    expect(scheduler.pending).toBe(0);
  });

  it('can be set for a later instant once it has rung', () => {
    const { scheduler, rung, alarm } = setUp();
    alarm.set(100);
    scheduler.advance(100);
    alarm.set(300);
    scheduler.advance(300);
    expect(rung).toEqual([100, 300]);
  });

  it('does not ring after cancel, and can be set for a later instant then', () => {
    const { scheduler, rung, alarm } = setUp();
    alarm.set(100);
    alarm.cancel();
    expect(scheduler.pending).toBe(0);
    alarm.set(200);
    scheduler.advance(500);
    expect(rung).toEqual([200]);
  });

  it('takes Infinity for not at all', () => {
    const { scheduler, timers, rung, alarm } = setUp();
    alarm.set(Number.POSITIVE_INFINITY);
    expect(timers).not.toHaveBeenCalled();
    alarm.set(100);
    alarm.set(Number.POSITIVE_INFINITY);
    expect(scheduler.pending).toBe(0);
    scheduler.advance(500);
    expect(rung).toEqual([]);
  });

  it('takes cancel at any time', () => {
    const { scheduler, rung, alarm } = setUp();
    alarm.cancel();
    alarm.set(10);
    scheduler.advance(10);
    alarm.cancel();
    expect(rung).toEqual([10]);
  });

  it('can be set after a ring that threw', () => {
    const scheduler = new VirtualScheduler();
    const ring = vi.fn().mockImplementationOnce(() => {
      throw new Error('thrown in a ring');
    });
    const alarm = new LazyTimer(scheduler, ring);
    alarm.set(10);
    expect(() => scheduler.advance(10)).toThrow('thrown in a ring');
    alarm.set(30);
    scheduler.advance(30);
    expect(ring).toHaveBeenCalledTimes(2);
  });
});
