import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_DELAY } from '../../src/time.ts';
import { SystemScheduler } from '../../src/timers/system-scheduler.ts';
import { inPage } from '../in-page.ts';
import { schedulerContract } from '../scheduler-contract.ts';

describe('SystemScheduler', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  schedulerContract(() => ({
    scheduler: new SystemScheduler(),
    advance: (by) => vi.advanceTimersByTime(by),
  }));

  it('cancels a timer in a bundle for pages, where timers are numbers', async () => {
    const page = await inPage(() => import('../../src/timers/system-scheduler.ts'));
    const scheduler = new page.SystemScheduler({ unref: true });
    const fired: string[] = [];
    scheduler.at(scheduler.now() + 10, () => fired.push('cancelled')).cancel();
    scheduler.at(scheduler.now() + 10, () => fired.push('kept'));
    vi.advanceTimersByTime(10);
    expect(fired).toEqual(['kept']);
  });

  it('tells the time of performance.now', () => {
    vi.advanceTimersByTime(123);
    expect(new SystemScheduler().now()).toBe(performance.now());
  });

  it('tells the time of the wall clock where the runtime has no performance', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    vi.stubGlobal('performance', undefined);
    const scheduler = new SystemScheduler();
    const before = scheduler.now();
    const fired: number[] = [];
    scheduler.at(before + 100, () => fired.push(scheduler.now()));
    vi.advanceTimersByTime(100);
    vi.unstubAllGlobals();
    expect(before).toBeGreaterThan(1.5e12);
    expect(fired).toEqual([before + 100]);
  });

  it('tells a time that the wall clock does not change', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    const scheduler = new SystemScheduler();
    const before = scheduler.now();
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(scheduler.now()).toBe(before);
  });

  it('waits for the rest of a millisecond too', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    const scheduler = new SystemScheduler();
    scheduler.at(scheduler.now() + 10.2, () => {});
    expect(setTimeout).toHaveBeenLastCalledWith(expect.any(Function), 11);
    scheduler.at(scheduler.now() - 10, () => {});
    expect(setTimeout).toHaveBeenLastCalledWith(expect.any(Function), 0);
  });

  it('wakes early, at the longest wait of a timer, for what is due after it', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    const scheduler = new SystemScheduler();
    scheduler.at(scheduler.now() + MAX_DELAY + 1, () => {});
    expect(setTimeout).toHaveBeenLastCalledWith(expect.any(Function), 2_147_483_647);
    scheduler.at(Number.POSITIVE_INFINITY, () => {});
    expect(setTimeout).toHaveBeenLastCalledWith(expect.any(Function), 2_147_483_647);
  });

  it('leaves no timer behind once its callback has run or is cancelled', () => {
    const scheduler = new SystemScheduler();
    const timer = scheduler.at(scheduler.now() + 10, () => {});
    scheduler.at(scheduler.now() + 20, () => {});
    expect(vi.getTimerCount()).toBe(2);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(20);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets go of a timer that is cancelled, for Node keeps its callback', () => {
    const clearTimeout = vi.spyOn(globalThis, 'clearTimeout');
    const timer = new SystemScheduler().at(10, () => {});
    timer.cancel();
    timer.cancel();
    expect(clearTimeout.mock.calls).toEqual([[expect.anything()], [undefined]]);
  });

  describe('in Node, Deno and Bun, where a timer is an object', () => {
    const unref = vi.fn();

    beforeEach(() => {
      unref.mockClear();
      vi.spyOn(globalThis, 'setTimeout').mockReturnValue({ unref } as never);
    });

    it('takes a timer that is cancelled back, for Node keeps the list of one that was not', () => {
      const ref = vi.fn();
      vi.spyOn(globalThis, 'setTimeout').mockReturnValue({ unref, ref } as never);
      vi.spyOn(globalThis, 'clearTimeout').mockImplementation(() => expect(ref).toBeCalledTimes(1));
      const timer = new SystemScheduler({ unref: true }).at(10, () => {});
      expect(ref).not.toHaveBeenCalled();
      timer.cancel();
      timer.cancel();
      expect(ref).toHaveBeenCalledTimes(1);
    });

    it('keeps the process running while a timer waits', () => {
      new SystemScheduler().at(10, () => {});
      new SystemScheduler({}).at(10, () => {});
      new SystemScheduler({ unref: false }).at(10, () => {});
      expect(unref).not.toHaveBeenCalled();
    });

    it('keeps no process running with unref', () => {
      new SystemScheduler({ unref: true }).at(10, () => {});
      expect(unref).toHaveBeenCalledTimes(1);
    });
  });

  it('takes unref in a page too, where a timer is a number', () => {
    vi.spyOn(globalThis, 'setTimeout').mockReturnValue(7 as never);
    const clearTimeout = vi.spyOn(globalThis, 'clearTimeout');
    new SystemScheduler({ unref: true }).at(10, () => {}).cancel();
    expect(clearTimeout).toHaveBeenCalledExactlyOnceWith(7);
  });
});
