import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';

/** Over what time, and by which clock and chance, a {@link Stagger} goes. */
export interface StaggerOptions {
  readonly within: Millis;
  readonly scheduler: Scheduler;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * Does something with each of many, not at once but spread over a time: with the i-th of n, counted
 * from 0, after (i + random)/n × `within`. So no part of that time sees more than its share.
 */
export class Stagger<Item> {
  #items: readonly Item[]; // none once it is over, for whoever has us may keep us
  readonly #act: (item: Item) => void;
  readonly #options: StaggerOptions;
  readonly #start: Instant;
  #timer: Timer | undefined;
  #done = 0;
  #due: Instant; // of the next

  /** Begins. The first may be due at once, but none is met within this call. */
  constructor(items: readonly Item[], act: (item: Item) => void, options: StaggerOptions) {
    this.#items = items;
    this.#act = act;
    this.#options = options;
    this.#start = options.scheduler.now();
    this.#due = this.#draw();
    this.#wait();
  }

  /** The rest is left out. */
  cancel(): void {
    this.#timer?.cancel();
    this.#items = [];
  }

  #draw(): Instant {
    const { within, random } = this.#options;
    return this.#start + ((this.#done + random()) / this.#items.length) * within;
  }

  #wait(): void {
    if (this.#done >= this.#items.length) return this.cancel();
    this.#timer = this.#options.scheduler.at(this.#due, () => this.#meet());
  }

  /** All that are due: they may be closer to each other than the timers of a wheel are. */
  #meet(): void {
    const now = this.#options.scheduler.now();
    while (this.#done < this.#items.length && this.#due <= now) {
      const item = this.#items[this.#done] as Item;
      this.#done += 1;
      this.#due = this.#draw();
      this.#act(item);
    }
    this.#wait();
  }
}
