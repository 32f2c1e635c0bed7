import { describe, expect, it } from 'vitest';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { schedulerContract } from '../scheduler-contract.ts';

describe('VirtualScheduler', () => {
  schedulerContract(() => {
    const scheduler = new VirtualScheduler();
    return { scheduler, advance: (by) => scheduler.advance(by) };
  });

  it('begins at 0, or where it is told to', () => {
    expect(new VirtualScheduler().now()).toBe(0);
    expect(new VirtualScheduler(1_000.5).now()).toBe(1_000.5);
  });

  it('runs each callback exactly when it is due', () => {
    const scheduler = new VirtualScheduler(100);
    const at: number[] = [];
    for (const due of [130, 110.25, 200]) scheduler.at(due, () => at.push(scheduler.now()));
    scheduler.advance(100);
    expect(at).toEqual([110.25, 130, 200]);
    expect(scheduler.now()).toBe(200);
  });

  it('leaves alone what is due one step later', () => {
    const scheduler = new VirtualScheduler();
    scheduler.at(10.001, () => {});
    scheduler.advance(10);
    expect(scheduler.pending).toBe(1);
  });

  it('counts the callbacks that wait', () => {
    const scheduler = new VirtualScheduler();
    expect(scheduler.pending).toBe(0);
    scheduler.at(10, () => {});
    const timer = scheduler.at(10, () => {});
    expect(scheduler.pending).toBe(2);
    timer.cancel();
    expect(scheduler.pending).toBe(1);
    scheduler.advance(10);
    expect(scheduler.pending).toBe(0);
  });

  it('does not count a callback that runs', () => {
    const scheduler = new VirtualScheduler();
    let pending: number | undefined;
    scheduler.at(10, () => {
      pending = scheduler.pending;
    });
    scheduler.advance(10);
    expect(pending).toBe(0);
  });

  it('runs what is due at once when a callback sets it, within the same advance', () => {
    const scheduler = new VirtualScheduler();
    const at: number[] = [];
    scheduler.at(10, () => {
      scheduler.at(0, () => at.push(scheduler.now()));
      scheduler.at(10, () => at.push(scheduler.now()));
    });
    scheduler.advance(10);
    expect(at).toEqual([10, 10]);
  });

  it('advances to an instant, and never backwards', () => {
    const scheduler = new VirtualScheduler();
    scheduler.advanceTo(50);
    expect(scheduler.now()).toBe(50);
    scheduler.advanceTo(20);
    expect(scheduler.now()).toBe(50);
  });

  it('stalls: time passes, nothing runs, and what became due runs late', () => {
    const scheduler = new VirtualScheduler();
    const at: string[] = [];
    scheduler.at(20, () => at.push(`second ${scheduler.now()}`));
    scheduler.at(10, () => at.push(`first ${scheduler.now()}`));
    scheduler.at(70, () => at.push(`third ${scheduler.now()}`));
    scheduler.stall(60);
    expect(at).toEqual([]);
    expect(scheduler.now()).toBe(60);
    scheduler.runDue();
    expect(at).toEqual(['first 60', 'second 60']);
    expect(scheduler.now()).toBe(60);
    scheduler.advance(10);
    expect(at).toEqual(['first 60', 'second 60', 'third 70']);
  });

  it('hands on what a callback throws, and runs the others when time goes on', () => {
    const scheduler = new VirtualScheduler();
    const at: number[] = [];
    scheduler.at(10, () => {
      throw new Error('thrown in a callback');
    });
    scheduler.at(20, () => at.push(scheduler.now()));
    expect(() => scheduler.advance(30)).toThrow('thrown in a callback');
    expect(scheduler.now()).toBe(10);
    scheduler.advance(20);
    expect(at).toEqual([20]);
  });
});
