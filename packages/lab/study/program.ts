import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';
import { type Span, spanAt } from './span.ts';
import type { World } from './world.ts';

/**
 * How long after an overdue timer a program reads what arrived meanwhile, in ms. Up to 100 ms were
 * measured.
 */
const READ_AFTER: Millis = 50;

/** Chromium throttles a timer at the end of a chain of this many timers, each set by the one before. */
const CHAIN: number = 7;
/** How often the timers of a hidden page fire, in ms: those at the end of a chain, and the others. */
const CHAINED_GRANULE: Millis = 60_000;
const HIDDEN_GRANULE: Millis = 1_000;

/** How the timers of a program are throttled. */
export type Throttle = 'none' | 'hidden' | 'minute';

/** When a program does not run, and how coarse its timers are. */
export interface Habits {
  readonly stalls: readonly Span[];
  readonly throttle?: Throttle;
}

/** Our side: while it does not run, its timers and reads wait. Afterwards, the timers run first. */
export class Program implements Scheduler {
  readonly #world: World;
  readonly #habits: Habits;
  #chain = 0; // length of the chain of timers that led to the current callback

  constructor(world: World, habits: Habits) {
    this.#world = world;
    this.#habits = habits;
  }

  now(): Instant {
    return this.#world.now;
  }

  at(due: Instant, callback: () => void): Timer {
    const chain = this.#chain + 1;
    const granule = this.#granule(chain);
    const at = Math.ceil(Math.max(due, this.#world.now) / granule) * granule;
    const stall = spanAt(this.#habits.stalls, at);
    const run = () => this.#run(chain, callback);
    const happening = this.#world.plan(stall?.to ?? at, run, due);
    return {
      cancel: () => {
        happening.run = undefined;
      },
    };
  }

  /** Something has arrived: calls `read` when the program gets to it. */
  arrive(read: () => void): void {
    const { now } = this.#world;
    const stall = spanAt(this.#habits.stalls, now) ?? spanAt(this.#habits.stalls, now - READ_AFTER);
    if (stall === undefined) this.#run(0, read);
    else this.#world.plan(stall.to + READ_AFTER, () => this.#run(0, read));
  }

  /** Returns how long it has not run since `since`, in ms. */
  stalledSince(since: Instant): Millis {
    let sum = 0;
    for (const { from, to } of this.#habits.stalls) {
      if (from >= this.#world.now) break;
      sum += Math.max(0, Math.min(to, this.#world.now) - Math.max(from, since));
    }
    return sum;
  }

  #granule(chain: number): Millis {
    const { throttle = 'none' } = this.#habits;
    if (throttle === 'none') return 1;
    return throttle === 'minute' || chain >= CHAIN ? CHAINED_GRANULE : HIDDEN_GRANULE;
  }

  #run(chain: number, callback: () => void): void {
    this.#chain = chain;
    callback();
    this.#chain = 0;
  }
}
