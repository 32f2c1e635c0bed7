import type { Instant } from '@wirebeat/core';

/** A scheduled event. */
export interface Happening {
  readonly at: Instant;
  readonly due: Instant; // events at the same instant run in the order in which they were due
  readonly order: number;
  run: (() => void) | undefined; // undefined if cancelled
}

/**
 * Virtual time and its scheduled events. The scheduler of `@wirebeat/core/testing` does the same and
 * more; this one runs millions of events per second.
 */
export class World {
  now: Instant = 0;
  readonly #heap: Happening[] = []; // a binary heap
  #count = 0;

  /** Schedules `run` at `at`. Pass `due` if it was due earlier. */
  plan(at: Instant, run: () => void, due: Instant = at): Happening {
    const happening = { at: Math.max(at, this.now), due, order: this.#count, run };
    this.#count += 1;
    this.#heap.push(happening);
    this.#rise(this.#heap.length - 1);
    return happening;
  }

  /** Advances time until `end`, or until `isOver`. */
  runUntil(end: Instant, isOver: () => boolean = () => false): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#takeFirst();
      if (next.run === undefined) continue;
      this.now = next.at;
      next.run();
      if (isOver()) return;
    }
    this.now = end;
  }

  #takeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swap(child, parent)) return;
      child = parent;
    }
  }

  #sink(index: number): void {
    for (let parent = index; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const child = this.#isBefore(right, left) ? right : left;
      if (!this.#swap(child, parent)) return;
      parent = child;
    }
  }

  /** Swaps the two if the child comes first. */
  #swap(child: number, parent: number): boolean {
    const [low, high] = [this.#heap[child], this.#heap[parent]];
    if (low === undefined || high === undefined || !this.#isBefore(child, parent)) return false;
    this.#heap[child] = high;
    this.#heap[parent] = low;
    return true;
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.at - b.at < 0 || (a.at === b.at && (a.due - b.due || a.order - b.order) < 0);
  }
}
