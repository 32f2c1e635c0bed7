// What a wheel does, whatever happens to it, held against a model that keeps one number an entry.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VirtualScheduler } from '../../src/testing/virtual-scheduler.ts';
import type { Instant, Millis } from '../../src/time.ts';
import { TimingWheel } from '../../src/timers/timing-wheel.ts';
import { RUNS } from '../simulation.ts';

const delay = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -50, max: 3_000 }) },
  { weight: 3, arbitrary: fc.double({ min: -10, max: 2_000, noNaN: true }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e17,
      2 ** 33,
    ),
  },
);
const which = fc.nat({ max: 30 });
const change = fc.oneof(
  fc.record({ type: fc.constant('add' as const), which, delay }),
  fc.record({ type: fc.constant('move' as const), which, delay }),
  fc.record({ type: fc.constant('remove' as const), which, delay }),
);
const step = fc.oneof(
  { weight: 4, arbitrary: change },
  fc.record({
    type: fc.constantFrom('advance' as const, 'stall' as const),
    by: fc.oneof(fc.nat({ max: 5_000 }), fc.double({ min: 0, max: 300, noNaN: true })),
  }),
);
const options = fc.record({
  granule: fc.constantFrom(1, 3, 7, 100, 250),
  slots: fc.constantFrom(1, 2, 8, 64, 512),
});
const origin = fc.constantFrom(0, 0.7, 12_345.6, -5_000, 2 ** 31 * 100 - 500);

interface Change {
  readonly type: 'add' | 'move' | 'remove';
  readonly which: number;
  readonly delay: Millis;
}

interface Held {
  due: Instant | undefined; // while it waits
  armedAt: Instant;
}

/** A wheel, and beside it what it ought to do: one instant an entry. */
class Model {
  readonly below: VirtualScheduler;
  readonly wheel: TimingWheel;
  readonly granule: number;
  readonly held: Map<number, Held> = new Map();
  readonly numbers: Set<number> = new Set();
  /** What callbacks do, one change each. */
  readonly script: Change[];
  stalledUntil: Instant = Number.NEGATIVE_INFINITY;
  failure: unknown;
  mostHeld = 0;

  constructor(options: { granule: number; slots: number }, origin: Instant, script: Change[]) {
    this.below = new VirtualScheduler(origin);
    this.wheel = new TimingWheel(this.below, options);
    this.granule = options.granule;
    this.script = [...script];
  }

  do({ type, which, delay }: Change): void {
    if (type === 'add') return this.add(this.below.now() + delay);
    const entry = [...this.held.keys()][which % Math.max(1, this.held.size)];
    if (entry === undefined) return;
    if (type === 'move') this.move(entry, this.below.now() + delay);
    else this.remove(entry);
  }

  add(due: Instant): void {
    const entry = this.wheel.add(due, () => {
      try {
        this.run(entry);
      } catch (error) {
        this.failure ??= error; // the wheel would report it elsewhere
      }
    });
    expect(this.held.has(entry)).toBe(false);
    this.held.set(entry, { due: undefined, armedAt: 0 });
    this.arm(entry, due);
    this.numbers.add(entry);
    this.mostHeld = Math.max(this.mostHeld, this.held.size);
  }

  move(entry: number, due: Instant): void {
    this.wheel.move(entry, due);
    this.arm(entry, due);
  }

  remove(entry: number): void {
    this.wheel.remove(entry);
    this.held.delete(entry);
  }

  arm(entry: number, due: Instant): void {
    const waits = due !== Number.POSITIVE_INFINITY;
    const asap = Number.isNaN(due) ? Number.NEGATIVE_INFINITY : due;
    this.held.set(entry, { due: waits ? asap : undefined, armedAt: this.below.now() });
  }

  run(entry: number): void {
    const { due, armedAt } = this.held.get(entry) ?? { due: undefined, armedAt: 0 };
    const now = this.below.now();
    if (due === undefined) throw new Error('ran though it did not wait');
    expect(now).toBeGreaterThanOrEqual(due);
    const latest = Math.max(due, armedAt, this.stalledUntil) + this.granule;
    expect(now).toBeLessThanOrEqual(latest);
    this.held.set(entry, { due: undefined, armedAt });
    const change = this.script.pop();
    if (change !== undefined) this.do(change);
  }

  stall(by: number): void {
    this.below.stall(by);
    this.stalledUntil = this.below.now();
    this.below.runDue();
  }

  check(): void {
    if (this.failure !== undefined) throw this.failure;
    const waiting = [...this.held.values()].filter(({ due }) => due !== undefined);
    expect(this.wheel.size).toBe(waiting.length);
    expect(this.below.pending).toBe(waiting.length > 0 ? 1 : 0);
    const overdue = waiting.filter(
      ({ due = 0, armedAt }) => Math.max(due, armedAt) + this.granule < this.below.now(),
    );
    expect(overdue).toEqual([]);
    expect(this.numbers.size).toBeLessThanOrEqual(this.mostHeld);
  }
}

describe('TimingWheel, whatever happens', () => {
  it('each arming runs once, never early, within a granule if not stalled', () => {
    const steps = fc.array(step, { maxLength: 60 });
    const script = fc.array(change, { maxLength: 60 });
    fc.assert(
      fc.property(options, origin, steps, script, (given, from, taken, within) => {
        const model = new Model(given, from, within);
        for (const each of taken) {
          if (!('by' in each)) model.do(each);
          else if (each.type === 'stall') model.stall(each.by);
          else model.below.advance(each.by);
          model.check();
        }
        for (const entry of [...model.held.keys()]) model.remove(entry);
        model.check();
      }),
      { numRuns: RUNS },
    );
  });
});
