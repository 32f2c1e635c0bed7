import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

/**
 * The time of one program that can be frozen while the rest goes on: a page in the background, a
 * stopped process, a sleeping laptop.
 *
 * Timers and messages wait while it is frozen. Afterwards, overdue timers run before the messages,
 * as in most runtimes, so a simple timeout fires although its answer has arrived.
 */
export class FreezableScheduler implements Scheduler {
  /** The scheduler that is never frozen, for example that of the network. */
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

  /** Runs `callback` for a message from outside, now or once the program reads again. */
  arrive(callback: () => void): void {
    if (this.#frozen || this.#reading !== undefined) this.#arrivals.push(callback);
    else callback();
  }

  /** Freezes the program: no callback runs. */
  freeze(): void {
    this.#frozen = true;
  }

  /**
   * Ends the freeze. Overdue timers run as soon as time passes, even by 0, and messages are read
   * `readAfter` ms later. Measured delays are up to 100 ms.
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
