// G. Varghese, T. Lauck, "Hashed and Hierarchical Timing Wheels: Data Structures for the Efficient
// Implementation of a Timer Facility", SOSP 1987, §6.1.2: scheme 6, a hash table with unsorted lists.
//
// The paper counts instructions. Here the accesses to the wheel's arrays are counted: the same
// number in every run, on every machine.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import { TimingWheel } from '../../src/timers/timing-wheel.ts';

let accesses = 0;

/** The number of accesses that `act` makes. */
function cost(act: () => void): number {
  accesses = 0;
  act();
  return accesses;
}

/** A kind of typed array that counts the accesses to its elements. */
function counting<T extends object, Given>(create: (given: Given) => T) {
  const count = (key: string | symbol) => {
    if (typeof key === 'string' && /^\d+$/.test(key)) accesses += 1;
  };
  return function counted(given: Given): T {
    return new Proxy(create(given), {
      get(target, key, proxy) {
        count(key);
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const result = value.apply(target, args);
          return result === target ? proxy : result; // what `fill` returns is counted as well
        };
      },
      set(target, key, value) {
        count(key);
        return Reflect.set(target, key, value);
      },
    });
  };
}

const GRANULE = 100;

/** A wheel with `waiting` timers that are due evenly over `turns` turns, none of them yet. */
function wheelOf(waiting: number, { slots = 64, turns = 1 } = {}) {
  const below = new VirtualScheduler();
  const wheel = new TimingWheel(below, { granule: GRANULE, slots });
  const ran: number[] = [];
  const range = slots * turns;
  const entries = Array.from({ length: waiting }, (_, i) =>
    wheel.add((1 + (i % range)) * GRANULE, () => ran.push(below.now())),
  );
  return { below, wheel, ran, entries };
}

describe('scheme 6', () => {
  beforeEach(() => {
    const [Ints, Floats] = [Int32Array, Float64Array];
    vi.stubGlobal(
      'Int32Array',
      counting((length: number) => new Ints(length)),
    );
    vi.stubGlobal(
      'Float64Array',
      counting((buffer: ArrayBuffer) => new Floats(buffer)),
    );
  });

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('§6.1.2: START_TIMER is O(1) in the worst case: the list is not kept in order', () => {
    const costs = [10, 300, 3_000].map((waiting) => {
      const { wheel, entries } = wheelOf(waiting);
      wheel.remove(entries[0] ?? 0); // its number is free, so that no array has to grow
      return cost(() => wheel.add(7 * GRANULE, () => {}));
    });
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toBeGreaterThan(4);
    expect(costs[0]).toBeLessThan(12);
  });

  it('§6.1.2: STOP_TIMER is O(1): the lists are doubly linked, and the entry is known', () => {
    const costs = [10, 300, 3_000].map((waiting) => {
      const { wheel, entries } = wheelOf(waiting);
      return cost(() => wheel.remove(entries[5] ?? 0));
    });
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toBeGreaterThan(4);
    expect(costs[0]).toBeLessThan(12);
  });

  /** What each of three turns costs in which none of the timers that wait is due. */
  function turnsOf(waiting: number, slots: number): number[] {
    const { below, wheel } = wheelOf(0, { slots });
    for (let i = 0; i < waiting; i += 1) {
      wheel.add((10 * slots + (i % slots)) * GRANULE, () => {
        throw new Error('unreachable: due in the tenth turn');
      });
    }
    wheel.add(GRANULE, () => {}); // the wheel turns from here
    below.advance(GRANULE);
    return [1, 2, 3].map(() => cost(() => below.advance(slots * GRANULE)));
  }

  it('§6.1.2: every TableSize ticks, each timer that still lives is looked at once', () => {
    const [first = 0, ...others] = turnsOf(1_280, 64);
    expect(others).toEqual([first, first]);
    expect(first / 1_280).toBeGreaterThan(5);
    expect(first / 1_280).toBeLessThan(20);
  });

  it('§6.1.2: PER_TICK_BOOKKEEPING takes n/TableSize on average', () => {
    const tick = (waiting: number, slots: number) => (turnsOf(waiting, slots)[0] ?? 0) / slots;
    const base = tick(1_280, 64);
    expect(tick(2_560, 64) / base).toBeCloseTo(2, 0); // in proportion to n
    expect(tick(1_280, 32) / base).toBeCloseTo(2, 0); // in inverse proportion to TableSize
    expect(tick(2_560, 128) / base).toBeCloseTo(1, 0);
  });

  it('§6.1.2: a timer is due in the turn that its interval divided by TableSize tells', () => {
    const { below, ran } = wheelOf(64 * 5, { turns: 5 });
    below.advance(64 * 5 * GRANULE);
    expect(ran).toEqual(Array.from({ length: 64 * 5 }, (_, i) => (1 + i) * GRANULE));
  });

  it('§2: EXPIRY_PROCESSING calls what the client gave, once, and the timer is over', () => {
    const { below, wheel, ran } = wheelOf(640);
    below.advance(64 * GRANULE);
    expect(ran).toHaveLength(640);
    expect(wheel.size).toBe(0);
    expect(cost(() => below.advance(1_000 * GRANULE))).toBe(0);
  });

  // Not of the paper: Alarm's laziness, in the wheel.
  it('a timer that is put off costs a load and a store each time, and one look at its old time', () => {
    const { below, wheel, ran, entries } = wheelOf(1);
    const [entry = 0] = entries;
    for (let due = 200; due <= 1_000; due += 100) {
      expect(cost(() => wheel.move(entry, due))).toBe(2);
    }
    const look = cost(() => below.advance(100));
    expect(look).toBeGreaterThan(0);
    expect(look).toBeLessThan(64); // the search for the next list among it
    expect(cost(() => below.advance(800))).toBe(0);
    expect(ran).toEqual([]);
    below.advance(100);
    expect(ran).toEqual([1_000]);
  });
});
