import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TimingWheel } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { Stagger } from '../src/stagger.ts';

function begin(count: number, within: number, random = () => 0.5) {
  const scheduler = new VirtualScheduler();
  scheduler.advanceTo(1_000);
  const met: [item: number, at: number][] = [];
  const items = Array.from({ length: count }, (_, index) => index);
  const spread = new Stagger(items, (item) => met.push([item, scheduler.now()]), {
    within,
    scheduler,
    random,
  });
  return { scheduler, met, spread };
}

describe('Stagger', () => {
  it('calls the i-th of n after (i + random)/n of the time', () => {
    const { scheduler, met } = begin(4, 8_000);
    expect(met).toEqual([]);
    scheduler.advanceTo(9_000);
    expect(met).toEqual([
      [0, 2_000],
      [1, 4_000],
      [2, 6_000],
      [3, 8_000],
    ]);
    expect(scheduler.pending).toBe(0);
  });

  it('calls all within the time, each in its own share of it, whatever `random` returns', () => {
    const chances = [0, 0.999, 0.3];
    let turn = 0;
    const { scheduler, met } = begin(300, 3_000, () => chances[turn++ % 3] ?? 0);
    scheduler.advanceTo(4_000);
    expect(met).toHaveLength(300);
    for (const [item, at] of met) expect(Math.floor((at - 1_000) / 10)).toBe(item);
  });

  it('catches up after a stall at once, in order', () => {
    const { scheduler, met } = begin(4, 8_000);
    scheduler.stall(5_500);
    expect(met.map(([item]) => item)).toEqual([]);
    scheduler.advanceTo(scheduler.now());
    expect(met.map(([item]) => item)).toEqual([0, 1, 2]);
  });

  it('keeps to the time if items are closer together than the ticks of its clock', () => {
    const clock = new VirtualScheduler();
    const scheduler = new TimingWheel(clock, { granule: 10, slots: 64 });
    const met: number[] = [];
    const items = Array.from({ length: 400 }, () => 0);
    new Stagger(items, () => met.push(clock.now()), {
      within: 1_000,
      scheduler,
      random: () => 0.5,
    });
    clock.advanceTo(500);
    expect(met).toHaveLength(200);
    clock.advanceTo(1_000);
    expect(met).toHaveLength(400);
    for (const [item, at] of met.entries()) expect(at).toBe(10 * (Math.floor(item / 4) + 1));
  });

  it.each([
    ['is over', 1_000],
    ['is cancelled', 500],
  ])('keeps no item once it %s', async (_, until) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const clock = new VirtualScheduler();
    const options = { within: 1_000, scheduler: clock, random: () => 0.5 };
    const [spread, met] = (() => {
      const items = [{}, {}];
      return [new Stagger(items, () => {}, options), new WeakRef(items[0] as object)];
    })();
    clock.advanceTo(until);
    if (until < options.within) spread.cancel();
    await new Promise((resolve) => setImmediate(resolve)); // a WeakRef is held for its turn
    collect();
    expect(met.deref()).toBeUndefined();
    spread.cancel(); // which was there until now
  });

  it('does nothing without items', () => {
    expect(begin(0, 1_000).scheduler.pending).toBe(0);
  });

  it('skips the remaining items once it is cancelled, also by the callback', () => {
    const { scheduler, met, spread } = begin(4, 8_000);
    scheduler.advanceTo(2_000);
    spread.cancel();
    expect(scheduler.pending).toBe(0);
    scheduler.advanceTo(9_000);
    expect(met).toHaveLength(1);
    const other = new VirtualScheduler();
    const seen: number[] = [];
    const act = (item: number) => {
      seen.push(item);
      itself.cancel();
    };
    const itself = new Stagger([1, 2], act, { within: 10, scheduler: other, random: () => 0 });
    other.advanceTo(100);
    expect(seen).toEqual([1]);
  });

  it('waits again if a timer fires early', () => {
    const due: [at: number, run: () => void][] = [];
    let now = 0;
    const at = (instant: number, run: () => void) => {
      due.push([instant, run]);
      return { cancel: () => {} };
    };
    const seen: number[] = [];
    const scheduler = { now: () => now, at };
    new Stagger([7], (item) => seen.push(item), { within: 10, scheduler, random: () => 0.5 });
    now = 4;
    due.shift()?.[1]();
    expect(seen).toEqual([]);
    now = 5;
    expect(due[0]?.[0]).toBe(5);
    due.shift()?.[1]();
    expect(seen).toEqual([7]);
  });
});
