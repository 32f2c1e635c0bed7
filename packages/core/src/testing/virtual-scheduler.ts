import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

interface VirtualTimer extends Timer {
  readonly due: Instant;
  readonly callback: () => void;
}

/**
 * A {@link Scheduler} with virtual time, which passes only in {@link advance}. Callbacks run in the
 * order in which they are due, including those scheduled by other callbacks.
 */
export class VirtualScheduler implements Scheduler {
  #now: Instant;
  readonly #timers: Set<VirtualTimer> = new Set();

  constructor(start: Instant = 0) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  at(due: Instant, callback: () => void): Timer {
    const timer: VirtualTimer = {
      due,
      callback,
      cancel: () => this.#timers.delete(timer),
    };
    this.#timers.add(timer);
    return timer;
  }

  /** The number of waiting callbacks. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and runs each callback at its time. */
  advance(by: Millis): void {
    this.advanceTo(this.#now + by);
  }

  advanceTo(end: Instant): void {
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#now = Math.max(this.#now, timer.due);
      this.#run(timer);
    }
    this.#now = Math.max(this.#now, end);
  }

  /**
   * Lets time pass while nothing runs, as in a frozen page or a stopped process. Callbacks that
   * became due wait for the next {@link advance}, and run late.
   */
  stall(by: Millis): void {
    this.#now += by;
  }

  /** Runs what is due now. */
  runDue(): void {
    this.advance(0);
  }

  #next(end: Instant): VirtualTimer | undefined {
    let next: VirtualTimer | undefined;
    for (const timer of this.#timers) {
      // They come in the order in which they were set: of two that are due together, the first.
      if (timer.due <= end && (next === undefined || timer.due < next.due)) next = timer;
    }
    return next;
  }

  #run(timer: VirtualTimer): void {
    this.#timers.delete(timer);
    timer.callback();
  }
}
