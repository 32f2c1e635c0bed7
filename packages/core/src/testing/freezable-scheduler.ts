import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

/**
 * The time of one program, which can be frozen while the world goes on: a page in the background, a
 * process that is stopped, a laptop that sleeps.
 *
 * What becomes due or arrives meanwhile waits. Once thawed, the overdue timers run first and the
 * arrivals after them, as most runtimes do: a naive timeout fires though its answer is there.
 */
export class FreezableScheduler implements Scheduler {
  /** The time that is not frozen, such as that of a network. */
  readonly world: Scheduler;
  #frozen = false;
  readonly #overdue: Set<() => void> = new Set();
  #arrivals: (() => void)[] = [];
  #reading: Timer | undefined;

  constructor(world: Scheduler) {
    this.world = world;
  }

  now(): Instant {
    return this.world.now();
  }

  at(due: Instant, callback: () => void): Timer {
    const run = () => {
      if (this.#frozen) this.#overdue.add(runAnew);
      else callback();
    };
    const runAnew = () => {
      timer = this.world.at(this.now(), run);
    };
    let timer = this.world.at(due, run);
    return {
      cancel: () => {
        timer.cancel();
        this.#overdue.delete(runAnew);
      },
    };
  }

  /** Something comes from outside: `callback` runs now, or when the program reads again. */
  arrive(callback: () => void): void {
    if (this.#frozen || this.#reading !== undefined) this.#arrivals.push(callback);
    else callback();
  }

  /** From now no callback runs. */
  freeze(): void {
    this.#frozen = true;
  }

  /**
   * Runs again: overdue timers as soon as time passes, even by 0, and what has arrived `readAfter`
   * later. Up to 100 ms were measured.
   */
  thaw(readAfter: Millis = 0): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    const overdue = [...this.#overdue];
    this.#overdue.clear();
    for (const runAnew of overdue) runAnew();
    this.#reading?.cancel();
    this.#reading = this.world.at(this.now() + readAfter, () => this.#read());
  }

  #read(): void {
    this.#reading = undefined;
    const arrivals = this.#arrivals;
    this.#arrivals = [];
    for (const callback of arrivals) this.arrive(callback); // one of them may freeze it again
  }
}
