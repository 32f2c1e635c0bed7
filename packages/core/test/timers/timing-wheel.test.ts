import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import type { Instant, Timer } from '../../src/time.ts';
import { TimingWheel, type TimingWheelOptions } from '../../src/timers/timing-wheel.ts';
import { refusalOf } from '../refusal.ts';
import { schedulerContract } from '../scheduler-contract.ts';
import { RUNS } from '../simulation.ts';
import { unhandledRejections } from '../unhandled-rejections.ts';

/** A scheduler that notes what is asked of it. */
class Below extends VirtualScheduler {
  readonly set: Instant[] = [];
  looks = 0;
  /** What the clock shows, if it is broken. */
  shows: Instant | undefined;

  override now(): Instant {
    this.looks += 1;
    return this.shows ?? super.now();
  }

  /** Runs the callback that was set last, whatever time it is. */
  fire = () => {};

  override at(due: Instant, callback: () => void): Timer {
    this.set.push(due);
    const timer = super.at(due, callback);
    this.fire = () => {
      timer.cancel();
      callback();
    };
    return timer;
  }
}

/** A wheel of 100 ms granules and 8 slots, and who ran on it, when. */
function start(options: TimingWheelOptions = { slots: 8 }, origin: Instant = 0) {
  const below = new Below(origin);
  const wheel = new TimingWheel(below, options);
  const ran: [name: string, at: Instant][] = [];
  const add = (due: Instant, name: string, then = () => {}) =>
    wheel.add(due, () => {
      ran.push([name, below.now()]);
      then();
    });
  const names = () => ran.map(([name]) => name);
  return { below, wheel, ran, add, names };
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** The double next to an instant other than 0, on the side of `sign`. */
function beside(instant: Instant, sign: 1 | -1): Instant {
  const bits = new BigInt64Array(Float64Array.of(instant).buffer);
  bits[0] = (bits[0] ?? 0n) + BigInt(instant > 0 ? sign : -sign);
  return new Float64Array(bits.buffer)[0] ?? Number.NaN;
}

describe('TimingWheel', () => {
  describe('as a scheduler', () => {
    schedulerContract(() => {
      const below = new VirtualScheduler(1_000);
      return {
        scheduler: new TimingWheel(below, { granule: 1 }),
        advance: (by) => below.advance(by),
      };
    });

    it('tells the time of the scheduler below', () => {
      expect(start({}, 123.5).wheel.now()).toBe(123.5);
    });

    it('gives an entry back when its callback runs, or when it is cancelled', () => {
      const { below, wheel, add } = start();
      const entry = add(100, 'probe');
      wheel.remove(entry);
      wheel.at(100, () => {
        expect(add(1_000, 'within')).toBe(entry);
        wheel.remove(entry);
      });
      below.advance(200);
      wheel.at(1_000, () => {}).cancel();
      expect(add(300, 'after')).toBe(entry);
    });

    it('does not cancel the entry of another that came after', () => {
      const { below, wheel, names, add } = start();
      const first = wheel.at(100, () => {});
      const second = wheel.at(100, () => {});
      second.cancel();
      below.advance(100);
      add(200, 'one');
      add(200, 'two');
      first.cancel();
      second.cancel();
      below.advance(100);
      expect(names()).toEqual(['one', 'two']);
    });
  });

  describe('add', () => {
    it('runs the callback at its time, if a granule begins there', () => {
      const { below, ran, add } = start();
      add(200, 'it');
      below.advance(1_000);
      expect(ran).toEqual([['it', 200]]);
    });

    it('runs it when the next granule begins, if none does: late, never early', () => {
      const { below, ran, add } = start();
      add(200.001, 'just after');
      add(199.999, 'just before');
      add(101, 'in between');
      below.advance(1_000);
      expect(ran).toEqual([
        ['just before', 200],
        ['in between', 200],
        ['just after', 300],
      ]);
    });

    it('is not early by a rounding error, nor late by one', () => {
      const granule = fc.constantFrom(1, 3, 7, 10, 33, 49, 100, 250, 1_000, 59_999, 60_000);
      const count = fc.oneof(fc.integer({ min: 1 }), fc.integer({ min: -(2 ** 31), max: -1 }));
      fc.assert(
        fc.property(granule, count, (each, n) => {
          const begin = n * each;
          const { below, ran, add } = start({ granule: each, slots: 8 }, begin - 3 * each);
          add(begin, 'at');
          add(beside(begin, 1), 'after');
          below.shows = beside(begin, -1);
          below.fire();
          expect(ran).toEqual([]);
          below.shows = begin;
          below.fire();
          expect(ran).toEqual([['at', begin]]);
          below.shows = begin + each;
          below.fire();
          expect(ran).toEqual([
            ['at', begin],
            ['after', begin + each],
          ]);
        }),
        { numRuns: RUNS },
      );
    });

    it('waits through as many turns as it takes', () => {
      const { below, ran, add } = start();
      add(10_000, 'twelve turns');
      add(50 * 800, 'fifty turns');
      below.advance(100_000);
      expect(ran).toEqual([
        ['twelve turns', 10_000],
        ['fifty turns', 40_000],
      ]);
    });

    it('runs within a granule what is due in the past, or at no number', () => {
      for (const due of [Number.NaN, Number.NEGATIVE_INFINITY, -1e300, -5, 0, 950, 1_000]) {
        const { below, ran, add } = start({}, 1_000);
        add(due, 'it');
        expect(ran).toEqual([]);
        below.advance(100);
        expect(ran).toHaveLength(1);
      }
    });

    it('takes instants before the origin of the clock', () => {
      const { below, ran, add } = start({ slots: 8 }, -10_000);
      add(-9_950, 'first');
      add(-150, 'second');
      below.advance(20_000);
      expect(ran).toEqual([
        ['first', -9_900],
        ['second', -100],
      ]);
    });

    it('holds what is due more than 2^31 granules ahead, and what is due never', () => {
      const dues = [2 ** 31 + 1, 2 ** 32, 2 ** 32 + 5, 2 ** 53, 1e300, Number.MAX_VALUE];
      const { below, names, wheel, add } = start({ granule: 1, slots: 8 });
      for (const due of dues) add(due, `${due}`);
      add(Number.POSITIVE_INFINITY, 'never');
      below.advance(5_000);
      expect(names()).toEqual([]);
      below.stall(2 ** 32 - 5_000);
      below.runDue();
      expect(names()).toEqual([`${2 ** 31 + 1}`, `${2 ** 32}`]);
      below.advance(5);
      expect(names()).toHaveLength(3);
      expect(wheel.size).toBe(3);
    });
  });

  describe('move', () => {
    it('sets a later time', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(200, 'it');
      wheel.move(entry, 300);
      wheel.move(entry, 650);
      below.advance(2_000);
      expect(ran).toEqual([['it', 700]]);
    });

    it('sets an earlier time', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(600, 'it');
      wheel.move(entry, 200);
      below.advance(2_000);
      expect(ran).toEqual([['it', 200]]);
    });

    it('sets a time between the old one and the one where the entry is listed', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(200, 'it');
      wheel.move(entry, 700);
      wheel.move(entry, 400);
      below.advance(2_000);
      expect(ran).toEqual([['it', 400]]);
    });

    it('arms again what has run', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(200, 'it');
      below.advance(250);
      expect(wheel.size).toBe(0);
      wheel.move(entry, 400);
      expect(wheel.size).toBe(1);
      below.advance(2_000);
      expect(ran).toEqual([
        ['it', 200],
        ['it', 400],
      ]);
    });

    it('ends the wait with Infinity, until it is moved again', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(200, 'it');
      wheel.move(entry, Number.POSITIVE_INFINITY);
      wheel.move(entry, Number.POSITIVE_INFINITY);
      expect(wheel.size).toBe(0);
      expect(below.pending).toBe(0);
      below.advance(1_000);
      wheel.move(entry, 1_100);
      below.advance(1_000);
      expect(ran).toEqual([['it', 1_100]]);
    });

    it('sets a time for what was added to wait for none', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(Number.POSITIVE_INFINITY, 'it');
      wheel.move(entry, 200);
      expect(wheel.size).toBe(1);
      below.advance(1_000);
      expect(ran).toEqual([['it', 200]]);
    });

    it('runs within a granule what is moved into the past, or to no number', () => {
      for (const due of [Number.NaN, Number.NEGATIVE_INFINITY, -5, 1_000]) {
        const { below, ran, wheel, add } = start({}, 1_000);
        const entry = add(1_500, 'it');
        wheel.move(entry, due);
        expect(ran).toEqual([]);
        below.advance(100);
        expect(ran).toEqual([['it', 1_100]]);
      }
    });

    it('asks nothing of the scheduler below to set a later time', () => {
      const { below, wheel, add } = start();
      const entry = add(200, 'it');
      below.set.length = below.looks = 0;
      for (let due = 201; due < 5_000; due += 7) wheel.move(entry, due);
      expect(below.set).toEqual([]);
      expect(below.looks).toBe(0);
    });

    it('does nothing to what is no entry, or has ended', () => {
      const { below, wheel, names, add } = start();
      const ended = add(200, 'ended');
      wheel.remove(ended);
      for (const entry of [ended, ended + 1, -1, 0, 3, 8, 1e9, Number.NaN]) {
        for (const due of [100, Number.NaN, Number.POSITIVE_INFINITY]) wheel.move(entry, due);
        wheel.remove(entry);
      }
      expect(wheel.size).toBe(0);
      expect(below.pending).toBe(0);
      add(200, 'it');
      below.advance(1_000);
      expect(names()).toEqual(['it']);
    });
  });

  describe('remove', () => {
    it('keeps the callback from running', () => {
      const { below, wheel, names, add } = start();
      add(200, 'before');
      const entry = add(200, 'it');
      add(200, 'behind');
      wheel.remove(entry);
      expect(wheel.size).toBe(2);
      below.advance(1_000);
      expect(names()).toEqual(['before', 'behind']);
    });

    it('reaches an entry that was moved, or has run', () => {
      const { below, wheel, names, add } = start();
      const moved = add(200, 'moved');
      const over = add(100, 'over');
      wheel.move(moved, 500);
      below.advance(300);
      wheel.remove(moved);
      wheel.remove(over);
      wheel.move(over, 400);
      below.advance(1_000);
      expect(names()).toEqual(['over']);
    });

    it('gives its number to the next entry, once', () => {
      const { wheel, add } = start();
      const [one, two] = [add(200, '1'), add(200, '2')];
      wheel.remove(one);
      wheel.remove(one);
      wheel.remove(two);
      const again = [add(200, '3'), add(200, '4'), add(200, '5')];
      expect(again.slice(0, 2)).toEqual([two, one]);
      expect(new Set(again).size).toBe(3);
    });
  });

  it('wakes an object as it runs a function', async () => {
    const { below, wheel } = start();
    const woken: Instant[] = [];
    class Waker {
      wake(): void {
        woken.push(below.now());
        if (woken.length === 2) throw new Error('of a waker');
      }
    }
    const entry = wheel.add(100, new Waker());
    const rejections = await unhandledRejections(() => {
      below.advance(100);
      wheel.move(entry, 300);
      below.advance(1_000);
    });
    expect(woken).toEqual([100, 300]);
    expect(rejections).toHaveLength(1);
  });

  it('holds as many entries as are added', () => {
    const { below, wheel } = start({});
    const counts = new Uint8Array(5_000);
    for (let i = 0; i < 5_000; i += 1) {
      wheel.add(((i * 7_919) % 60_000) + 1, () => {
        counts[i] = (counts[i] ?? 0) + 1;
      });
    }
    expect(wheel.size).toBe(5_000);
    below.advance(60_000);
    expect(counts.every((count) => count === 1)).toBe(true);
    expect(wheel.size).toBe(0);
  });

  describe('the timer below', () => {
    it('is absent while nothing waits', () => {
      const { below, wheel, add } = start();
      expect(below.pending).toBe(0);
      const entries = [add(200, 'a'), add(500, 'b'), add(Number.POSITIVE_INFINITY, 'c')];
      expect(below.pending).toBe(1);
      for (const entry of entries) wheel.remove(entry);
      expect(below.pending).toBe(0);
      add(200, 'd');
      below.advance(200);
      expect(below.pending).toBe(0);
    });

    it('is set for the next granule at which something is listed', () => {
      const { below, add } = start();
      add(450, 'second');
      add(120, 'first');
      add(130, 'with it');
      add(700, 'third');
      expect(below.set).toEqual([500, 200]);
      below.advance(2_000);
      expect(below.set).toEqual([500, 200, 500, 700]);
    });

    it('is set once a turn for what is due in a later one', () => {
      const { below, add } = start();
      add(4_000, 'five turns');
      expect(below.set).toEqual([4_000]);
      add(300, 'first');
      below.advance(4_000);
      expect(below.set).toEqual([4_000, 300, 800, 1_600, 2_400, 3_200, 4_000]);
    });

    it('is set anew if it fires early, as timers may', () => {
      const { below, ran, add } = start();
      add(300, 'it');
      below.stall(299.2);
      below.fire();
      expect(ran).toEqual([]);
      below.advance(1_000);
      expect(ran).toEqual([['it', 300]]);
      expect(below.set).toEqual([300, 300]);
    });

    it('does not look back at the time in which nothing waited', () => {
      const { below, ran, add } = start();
      below.advance(1_000_050);
      add(7, 'past');
      add(1_000_150, 'it');
      below.advance(1_000);
      expect(ran).toEqual([
        ['past', 1_000_100],
        ['it', 1_000_200],
      ]);
    });
  });

  describe('a callback', () => {
    it('moves its own entry', () => {
      const { below, ran, wheel, add } = start();
      const entry = add(100, 'it', () => wheel.move(entry, below.now() + 300));
      below.advance(1_000);
      expect(ran.map(([, at]) => at)).toEqual([100, 400, 700, 1_000]);
      expect(wheel.size).toBe(1);
    });

    it('removes its own entry', () => {
      const { below, names, wheel, add } = start();
      const entry = add(100, 'it', () => {
        wheel.remove(entry);
        expect(add(200, 'next')).toBe(entry);
      });
      below.advance(1_000);
      expect(names()).toEqual(['it', 'next']);
    });

    it('removes and moves others that are due with it', () => {
      const { below, ran, wheel, add } = start();
      add(100, 'first', () => {
        wheel.remove(removed);
        wheel.move(later, 300);
        wheel.move(sooner, 50); // in the granule that it is in
        wheel.move(past, -50);
        wheel.move(never, Number.POSITIVE_INFINITY);
      });
      const removed = add(100, 'removed');
      const later = add(100, 'later');
      const past = add(100, 'past');
      const sooner = add(100, 'sooner');
      const never = add(100, 'never');
      add(100, 'last');
      below.advance(1_000);
      expect(ran).toEqual([
        ['first', 100],
        ['sooner', 100],
        ['last', 100],
        ['past', 200],
        ['later', 300],
      ]);
    });

    it('adds others, of which none runs before the next granule', () => {
      const { below, ran, add } = start();
      add(100, 'first', () => {
        add(50, 'past');
        add(100, 'now');
        add(900, 'same slot');
        add(350, 'later');
      });
      below.advance(2_000);
      expect(ran).toEqual([
        ['first', 100],
        ['past', 200],
        ['now', 200],
        ['later', 400],
        ['same slot', 900],
      ]);
    });

    it('cannot keep the wheel from coming to an end', () => {
      const { below, wheel } = start();
      let count = 0;
      const entry = wheel.add(100, () => {
        count += 1;
        wheel.move(entry, 0);
      });
      below.stall(10_000);
      below.runDue();
      expect(count).toBe(1);
      below.advance(100);
      expect(count).toBe(2);
    });

    it('empties the wheel and fills it again', () => {
      const { below, ran, wheel, add } = start();
      const others = [add(150, 'a'), add(250, 'b')];
      add(100, 'clear', () => {
        for (const entry of others) wheel.remove(entry);
        expect(wheel.size).toBe(0);
        add(150, 'c');
        expect(below.pending).toBe(0); // it is set when the turn ends
      });
      below.advance(1_000);
      expect(ran).toEqual([
        ['clear', 100],
        ['c', 200],
      ]);
    });

    it('that throws stops no other, and its error is reported', async () => {
      const { below, names, wheel, add } = start();
      const error = new Error('thrown in a callback');
      const reasons = await unhandledRejections(() => {
        add(100, 'first', () => {
          throw error;
        });
        add(100, 'second');
        add(200, 'third');
        below.advance(300);
      });
      expect(names()).toEqual(['first', 'second', 'third']);
      expect(reasons).toEqual([error]);
      expect(wheel.size).toBe(0);
      expect(below.pending).toBe(0);
    });

    it('is not shown the wheel', () => {
      const { below, wheel } = start();
      let self: unknown = 'not run';
      wheel.add(100, function (this: unknown) {
        self = this;
      });
      below.advance(100);
      expect(self).toBeUndefined();
    });

    it('is let go when its entry is removed', async () => {
      const { wheel } = start();
      const remember = () => {
        const callback = () => {};
        wheel.remove(wheel.add(100, callback));
        return new WeakRef(callback);
      };
      const reference = remember();
      await new Promise((resolve) => setImmediate(resolve)); // until then a WeakRef holds
      collectGarbage();
      expect(reference.deref()).toBeUndefined();
    });
  });

  describe('after a stall', () => {
    it('runs what is overdue once, in the order of granules', () => {
      const { below, ran, wheel, add } = start();
      const moved = add(100, 'moved');
      add(700, 'e');
      add(300, 'b');
      add(500, 'd');
      add(200, 'a');
      wheel.move(moved, 400);
      below.stall(750);
      below.runDue();
      expect(ran.map(([name]) => name)).toEqual(['a', 'b', 'moved', 'd', 'e']);
      below.advance(10_000);
      expect(ran).toHaveLength(5);
    });

    it('runs what is overdue by many turns once, that of the first turn in order', () => {
      const { below, names, wheel, add } = start();
      add(5_000, 'late');
      const moved = add(200, 'moved');
      wheel.move(moved, 3_000);
      for (const due of [600, 300, 800, 100]) add(due, `${due}`);
      add(20_100, 'still waits');
      below.stall(20_000);
      below.runDue();
      expect(names().slice(0, 4)).toEqual(['100', '300', '600', '800']);
      expect(names().slice(4).sort()).toEqual(['late', 'moved']);
      below.advance(100);
      expect(names().at(-1)).toBe('still waits');
      expect(names()).toHaveLength(7);
    });

    it('runs everything overdue, however many granules it lasted', () => {
      for (let granules = 1; granules < 40; granules += 1) {
        const { below, ran, wheel, add } = start();
        for (let granule = 1; granule <= 50; granule += 1) add(granule * 100, `${granule}`);
        below.stall(granules * 100 + 50);
        below.runDue();
        expect(ran).toHaveLength(granules);
        expect(wheel.size).toBe(50 - granules);
        below.advance(5_000);
        expect(ran).toHaveLength(50);
      }
    });

    it('loses nothing to what is added before the timer gets to run', () => {
      const { below, ran, add } = start();
      add(200, 'overdue');
      below.stall(450);
      add(700, 'added');
      below.runDue();
      expect(ran).toEqual([['overdue', 450]]);
      below.advance(1_000);
      expect(ran).toHaveLength(2);
    });

    it('does not go through the time granule by granule', () => {
      const { below, names, add } = start({ granule: 1 });
      add(10, 'it');
      below.stall(2 ** 52); // hours are no more work than two turns; this many would never end
      below.runDue();
      expect(names()).toEqual(['it']);
    });
  });

  describe('on a clock that is broken', () => {
    it('stands still while time is no number', () => {
      for (const shows of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63, -(2 ** 63)]) {
        const { below, names, wheel, add } = start();
        add(300, 'it');
        below.shows = shows;
        below.fire();
        below.fire();
        expect(names()).toEqual([]);
        wheel.remove(add(700, 'other'));
        below.shows = undefined;
        below.advance(1_000);
        expect(names()).toEqual(['it']);
        expect(below.pending).toBe(0);
      }
    });

    it('starts where the clock shows no number yet', () => {
      const below = new Below();
      below.shows = Number.NaN;
      const wheel = new TimingWheel(below);
      const at: Instant[] = [];
      wheel.add(300, () => at.push(below.now()));
      wheel.add(100, () => at.push(below.now()));
      below.shows = undefined;
      below.advance(500);
      expect(at).toEqual([100, 300]);
    });

    it('loses nothing when time runs backwards', () => {
      const { below, names, wheel, add } = start();
      below.advance(5_000);
      add(5_200, 'a');
      add(5_500, 'b');
      below.shows = 3_000;
      below.fire(); // it was due; by the clock, it is early
      expect(names()).toEqual([]);
      add(3_200, 'c');
      expect(wheel.size).toBe(3);
      for (below.shows = 3_000; below.shows < 5_000; below.shows += 100) below.fire();
      expect(names()).toEqual(['c']);
      for (below.shows = 5_000; below.shows < 6_000; below.shows += 100) below.fire();
      expect(names()).toEqual(['c', 'a', 'b']);
      expect(below.pending).toBe(0);
    });
  });

  describe('options', () => {
    it('are a granule of 100 ms and 512 slots, if none are given', () => {
      for (const options of [undefined, {}, { granule: undefined, slots: undefined }]) {
        const below = new Below();
        const wheel = new TimingWheel(below, options as TimingWheelOptions | undefined);
        wheel.add(1, () => {});
        wheel.add(512 * 100 + 1, () => {});
        below.advance(100);
        expect(below.set).toEqual([100, 51_300]);
      }
    });

    it('have each its effect', () => {
      const { below, add } = start({ granule: 20, slots: 4 });
      add(1, 'a');
      add(81, 'b');
      below.advance(20);
      expect(below.set).toEqual([20, 100]);
    });

    for (const granule of [1, 33, 60_000]) {
      for (const slots of [1, 2, granule === 1 ? 2 ** 20 : 1_024]) {
        it(`may be ${granule} and ${slots}`, () => {
          const { below, names, add } = start({ granule, slots });
          add(granule * 3, 'it');
          below.advance(granule * 2);
          expect(names()).toEqual([]);
          below.advance(granule * 2);
          expect(names()).toEqual(['it']);
        });
      }
    }

    for (const granule of [0, 0.999, 60_001, Number.NaN, Number.POSITIVE_INFINITY, '100', null]) {
      it(`refuses a granule of ${String(granule)} (${typeof granule})`, () => {
        const error = refusalOf(() => start({ granule: granule as number }));
        expect(error).toMatchObject({
          option: 'granule',
          expected: 'a whole number in [1, 60000]',
          value: granule,
        });
      });
    }

    for (const slots of [0, -1, 0.5, 3, 511, 513.5, 2 ** 21, Number.NaN, '512', null]) {
      it(`refuses ${String(slots)} slots (${typeof slots})`, () => {
        const { option, value } = refusalOf(() => start({ slots: slots as number }));
        expect({ option, value }).toEqual({ option: 'slots', value: slots });
      });
    }

    it('says what a number has to be', () => {
      expect(refusalOf(() => start({ slots: 100 })).message).toBe(
        'Expected `slots` to be a power of two, got `100` (number)',
      );
      expect(refusalOf(() => start({ granule: 2.5 })).message).toBe(
        'Expected `granule` to be a whole number in [1, 60000], got `2.5` (number)',
      );
    });

    it('refuses a name it does not know', () => {
      const { option } = refusalOf(() => start({ grain: 100 } as TimingWheelOptions));
      expect(option).toBe('grain');
    });
  });

  describe('nextPhase', () => {
    it('is in [0, 1), and the same for every wheel', () => {
      const { wheel } = start();
      const other = start({}).wheel;
      const phases = Array.from({ length: 10_000 }, () => wheel.nextPhase());
      expect(phases.every((phase) => phase >= 0 && phase < 1)).toBe(true);
      expect(phases.every((phase) => phase === other.nextPhase())).toBe(true);
    });

    it('leaves no gap of twice the mean, nor one of a third, however many there are', () => {
      const { wheel } = start();
      const phases: number[] = [];
      for (let count = 1; count <= 600; count += 1) {
        phases.push(wheel.nextPhase());
        const sorted = [...phases].sort((a, b) => a - b);
        const gaps = sorted.map((phase, i) => (sorted[i + 1] ?? 1 + (sorted[0] ?? 0)) - phase);
        expect(Math.max(...gaps) * count).toBeLessThan(2);
        expect(Math.min(...gaps) * count).toBeGreaterThan(1 / 3);
      }
    });
  });
});
