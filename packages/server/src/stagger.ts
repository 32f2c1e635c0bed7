import type { Instant, Millis, Scheduler, Timer } from '@wirebeat/core';

/** Options of a {@link Stagger}. */
export interface StaggerOptions {
  readonly within: Millis;
  readonly scheduler: Scheduler;
  /** Returns numbers in [0, 1). */
  readonly random: () => number;
}

/**
 * Calls a function for each of many items at staggered times: for item i of n, counted from 0, after (i
 * + random)/n × `within` ms. This distributes the calls evenly over the time.
 */
export class Stagger<Item> {
  #items: readonly Item[]; // emptied at the end, because callers may keep this object
  readonly #act: (item: Item) => void;
  readonly #options: StaggerOptions;
  readonly #start: Instant;
  #timer: Timer | undefined;
  #done = 0;
  #due: Instant; // when the next item is due

  /**
   * Starts the timer. The first item may be due at once, but `act` is never called within the
   * constructor.
   */
  constructor(items: readonly Item[], act: (item: Item) => void, options: StaggerOptions) {
    this.#items = items;
    this.#act = act;
    this.#options = options;
    this.#start = options.scheduler.now();
    this.#due = this.#draw();
    this.#wait();
  }

  /** Stops. `act` is not called for the remaining items. */
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

  /**
   * Calls `act` for all items that are due. Several can be due at once, because they may be closer
   * together than the granules of a wheel.
   */
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
