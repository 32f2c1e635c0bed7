import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { Overload } from '../../src/timing/overload.ts';

const MINUTE = 60_000;

function watch() {
  const scheduler = new VirtualScheduler();
  const told: [isOn: boolean, at: number][] = [];
  const overload = new Overload(scheduler, (isOn) => told.push([isOn, scheduler.now()]));
  const stallAt = (at: number, lateBy = 500) => {
    scheduler.advanceTo(at);
    overload.stalled(lateBy);
  };
  return { scheduler, told, overload, stallAt };
}

describe('Overload', () => {
  it('begins at the second stall within a minute', () => {
    const { told, stallAt } = watch();
    stallAt(1_000);
    expect(told).toEqual([]);
    stallAt(1_000 + MINUTE);
    expect(told).toEqual([[true, 61_000]]);
  });

  it('does not begin with stalls that are further apart, or with one, however long', () => {
    const { told, stallAt } = watch();
    for (let at = 0; at < 10; at += 1) stallAt(1_000 + at * (MINUTE + 1));
    stallAt(10_000_000, 9_000_000);
    expect(told).toEqual([]);
  });

  it('counts once what very many connections tell of one stall', () => {
    const { told, stallAt } = watch();
    stallAt(10_000, 2_000);
    stallAt(10_000, 1_999);
    stallAt(10_100, 2_100); // they are being served one after the other
    stallAt(10_300, 300);
    expect(told).toEqual([]);
    stallAt(11_000, 600); // due at 10 400
    expect(told).toHaveLength(1);
  });

  it('is over after five minutes without a stall', () => {
    const { scheduler, told, stallAt } = watch();
    stallAt(1_000);
    stallAt(2_000);
    stallAt(4 * MINUTE);
    scheduler.advanceTo(9 * MINUTE - 1);
    expect(told).toEqual([[true, 2_000]]);
    scheduler.advanceTo(9 * MINUTE);
    expect(told).toEqual([
      [true, 2_000],
      [false, 9 * MINUTE],
    ]);
    expect(scheduler.pending).toBe(0);
    stallAt(20 * MINUTE);
    stallAt(20 * MINUTE + 1_000);
    expect(told).toHaveLength(3);
  });

  it('leaves no timer behind', () => {
    const { scheduler, overload, stallAt } = watch();
    stallAt(1_000);
    stallAt(2_000);
    overload.close();
    expect(scheduler.pending).toBe(0);
  });
});
