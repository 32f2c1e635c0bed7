// What every Scheduler does: each implementation runs this suite.
import { describe, expect, it } from 'vitest';
import { type Instant, MAX_DELAY, type Millis, type Scheduler } from '../src/time.ts';

export interface SchedulerUnderTest {
  readonly scheduler: Scheduler;
  /** Lets time pass and runs what is due. */
  advance(by: Millis): void;
}

export function schedulerContract(create: () => SchedulerUnderTest): void {
  /** A scheduler and the instants, counted from the start, at which named callbacks ran. */
  function start() {
    const { scheduler, advance } = create();
    const origin = scheduler.now();
    const ran: [name: string, at: Instant][] = [];
    const after = (delay: Millis, name: string, then = () => {}) =>
      scheduler.at(origin + delay, () => {
        ran.push([name, scheduler.now() - origin]);
        then();
      });
    const names = () => ran.map(([name]) => name);
    return { scheduler, advance, origin, ran, after, names };
  }

  describe('now', () => {
    it('tells the time that has passed', () => {
      const { scheduler, advance, origin } = start();
      expect(scheduler.now()).toBe(origin);
      advance(40);
      expect(scheduler.now() - origin).toBe(40);
      advance(0);
      expect(scheduler.now() - origin).toBe(40);
    });
  });

  describe('at', () => {
    it('runs the callback once, never more than 1 ms before it is due, and soon after', () => {
      const { advance, ran, after } = start();
      after(100, 'it');
      advance(98);
      expect(ran).toEqual([]);
      advance(4);
      expect(ran).toHaveLength(1);
      const [[, at] = ['', Number.NaN]] = ran;
      expect(at).toBeGreaterThanOrEqual(99);
      expect(at).toBeLessThanOrEqual(102);
      advance(1_000);
      expect(ran).toHaveLength(1);
    });

    it('keeps to that where the instant is a fraction', () => {
      for (const due of [10.001, 10.5, 10.999]) {
        const { advance, ran, after } = start();
        after(due, 'it');
        for (let waited = 0; waited < 15; waited += 1) advance(1);
        const [[, at] = ['', Number.NaN]] = ran;
        expect(at).toBeGreaterThanOrEqual(due - 1);
        expect(at).toBeLessThanOrEqual(due + 2);
      }
    });

    it('runs callbacks in the order in which they are due', () => {
      const { advance, after, names } = start();
      for (const delay of [30, 10, 50, 20, 40]) after(delay, `${delay}`);
      advance(35);
      expect(names()).toEqual(['10', '20', '30']);
      advance(35);
      expect(names()).toEqual(['10', '20', '30', '40', '50']);
    });

    it('runs callbacks that are due together in the order in which they were set', () => {
      const { advance, after, names } = start();
      for (const name of ['a', 'b', 'c', 'd']) after(10, name);
      advance(20);
      expect(names()).toEqual(['a', 'b', 'c', 'd']);
    });

    it('runs a callback that is due in the past soon, but not at once', () => {
      const { advance, after, names } = start();
      advance(100);
      after(40, 'past');
      after(100, 'now');
      expect(names()).toEqual([]);
      advance(2);
      expect(names()).toEqual(['past', 'now']);
    });

    it('runs a callback that another one sets', () => {
      const { advance, after, names } = start();
      after(10, 'first', () => {
        after(30, 'second');
        after(20, 'between');
      });
      advance(40);
      expect(names()).toEqual(['first', 'between', 'second']);
    });

    it('does not run at once what is due later than any timer waits', () => {
      const { scheduler, advance, origin, after, names } = start();
      after(MAX_DELAY + 1, 'far');
      after(10 * MAX_DELAY, 'farther');
      after(Number.POSITIVE_INFINITY, 'never');
      advance(60_000);
      expect(names()).toEqual([]);
      expect(scheduler.now() - origin).toBe(60_000);
    });
  });

  describe('cancel', () => {
    it('keeps the callback from running', () => {
      const { advance, after, names } = start();
      const timer = after(10, 'it');
      advance(5);
      timer.cancel();
      advance(100);
      expect(names()).toEqual([]);
    });

    it('keeps no other from running', () => {
      const { advance, after, names } = start();
      after(10, 'before');
      const timer = after(10, 'it');
      after(10, 'behind');
      timer.cancel();
      advance(20);
      expect(names()).toEqual(['before', 'behind']);
    });

    it('reaches a callback that is due at the same instant', () => {
      const { advance, after, names } = start();
      after(10, 'first', () => second.cancel());
      const second = after(10, 'second');
      advance(20);
      expect(names()).toEqual(['first']);
    });

    it('does nothing once the callback has run, or when it is repeated', () => {
      const { advance, after, names } = start();
      const timer = after(10, 'it', () => timer.cancel());
      advance(20);
      after(30, 'next');
      timer.cancel();
      timer.cancel();
      advance(20);
      expect(names()).toEqual(['it', 'next']);
    });
  });
}
