import { ConnectionTable, initialTiming, resolveHeartbeatOptions } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { RowTimer } from '../../src/timing/row-timer.ts';
import { RowWheel } from '../../src/timing/row-wheel.ts';

/** A wheel with granules of 10 ms over three rows, and when each was met. */
function start() {
  const scheduler = new VirtualScheduler();
  const table = new ConnectionTable(initialTiming(resolveHeartbeatOptions({})));
  const met: [row: number, at: number][] = [];
  const wheel = new RowWheel(table, scheduler, 10, (row) => met.push([row, scheduler.now()]));
  const [a, b, c] = [table.add(), table.add(), table.add()];
  return { scheduler, table, met, wheel, a, b, c };
}

describe('RowWheel', () => {
  it('meets each row once, at its granule, and sets one timer', () => {
    const { scheduler, met, wheel, a, b, c } = start();
    wheel.list(a, 25);
    wheel.list(b, 30);
    wheel.list(c, 100_000); // more than a turn ahead
    expect(scheduler.pending).toBe(1);
    scheduler.advanceTo(200_000);
    expect(met).toEqual([
      [b, 30],
      [a, 30],
      [c, 100_000],
    ]);
    expect(scheduler.pending).toBe(0);
  });

  it('meets rows together, up to a batch before they are due, but never after', () => {
    const { scheduler, met, wheel, a, b, c } = start();
    wheel.list(a, 100, { pings: 50, looks: 50 });
    wheel.list(b, 139, { pings: 50, looks: 50 });
    wheel.list(c, 31, { pings: 50, looks: 50 }); // within the batch that has begun
    scheduler.advanceTo(1_000);
    expect(met).toEqual([
      [c, 40],
      [b, 100],
      [a, 100],
    ]);
  });

  it('meets a row with a batch of pings before it is due, then with a look, and then at its granule', () => {
    const { scheduler, table } = start();
    const times: number[] = [];
    const wheel: RowWheel = new RowWheel(table, scheduler, 10, (row) => {
      times.push(scheduler.now());
      if (scheduler.now() < 139) wheel.list(row, 139, { pings: 100, looks: 30 });
    });
    wheel.list(0, 139, { pings: 100, looks: 30 });
    scheduler.advanceTo(1_000);
    expect(times).toEqual([100, 120, 140]);
  });

  it('lets a row be listed again while it is met, and meets it in a later granule', () => {
    const { scheduler, table } = start();
    const times: number[] = [];
    const wheel: RowWheel = new RowWheel(table, scheduler, 10, (row) => {
      times.push(scheduler.now());
      if (times.length < 3) wheel.list(row, 0); // long due
    });
    wheel.list(0, 5);
    scheduler.advanceTo(1_000);
    expect(times).toEqual([10, 20, 30]);
  });

  it('moves a row that is listed to an earlier time, and leaves it for a later one', () => {
    const { scheduler, met, wheel, a, b, c } = start();
    for (const row of [a, b, c]) wheel.list(row, 100);
    wheel.list(b, 50);
    wheel.list(c, 40);
    wheel.list(a, 500); // it is met at 100, and can be listed again then
    expect(wheel.isListed(b)).toBe(true);
    scheduler.advanceTo(1_000);
    expect(met).toEqual([
      [c, 40],
      [b, 50],
      [a, 100],
    ]);
    expect(wheel.isListed(b)).toBe(false);
  });

  it('moves a row to an earlier time while its list is being gone through', () => {
    const { scheduler, table } = start();
    const met: [row: number, at: number][] = [];
    const wheel: RowWheel = new RowWheel(table, scheduler, 10, (row) => {
      met.push([row, scheduler.now()]);
      if (row === 1) wheel.list(0, 70);
    });
    wheel.list(0, 50 + 4_096 * 10); // one turn later, in the same slot
    wheel.list(1, 50);
    scheduler.advanceTo(1_000);
    expect(met).toEqual([
      [1, 50],
      [0, 70],
    ]);
  });

  it('leaves no timer once it is cleared', () => {
    const { scheduler, met, wheel, a, b } = start();
    wheel.list(a, 100);
    wheel.list(b, 100);
    const removed: number[] = [];
    wheel.clear((row) => removed.push(row));
    expect(removed.sort()).toEqual([a, b]);
    expect(wheel.isListed(a)).toBe(false);
    expect(scheduler.pending).toBe(0);
    scheduler.advanceTo(1_000);
    expect(met).toEqual([]);
  });
});

describe('RowTimer', () => {
  it('runs one timer when its row is met, without an entry in the wheel', () => {
    const { scheduler, table } = start();
    const log: string[] = [];
    const timers: RowTimer[] = [];
    const wheel = new RowWheel(table, scheduler, 10, (row) => timers[row]?.wake());
    const timer = new RowTimer(scheduler, wheel, 0);
    timers[0] = timer;
    timer.at(50, () => log.push(`first ${timer.now()}`));
    expect(scheduler.pending).toBe(1); // that of the rows
    timer.at(35, () => log.push(`second ${timer.now()}`)); // one of its own
    expect(scheduler.pending).toBe(2);
    scheduler.advanceTo(100);
    expect(log).toEqual(['second 35', 'first 50']);
  });

  it('waits for a later time if its row is met early, and for none if it is cancelled', () => {
    const { scheduler, table } = start();
    const log: number[] = [];
    const timers: RowTimer[] = [];
    const wheel = new RowWheel(table, scheduler, 10, (row) => timers[row]?.wake());
    const timer = new RowTimer(scheduler, wheel, 0);
    timers[0] = timer;
    timer.at(20, () => log.push(0)).cancel();
    timer.at(70, () => log.push(scheduler.now()));
    scheduler.advanceTo(1_000);
    expect(log).toEqual([70]);
    wheel.list(0, 1_050);
    timer.at(1_010, () => log.push(scheduler.now())); // its row is met earlier
    scheduler.advanceTo(2_000);
    expect(log).toEqual([70, 1_010]);
  });
});
