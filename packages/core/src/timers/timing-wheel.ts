import { resolveOptions } from '../check-options.ts';
import { InvalidOptionError } from '../errors.ts';
import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

/** The number of an entry of a {@link TimingWheel}. It may be reused after `remove`. */
export type WheelEntry = number;

/** An object that a wheel can call without a closure, which would take 64 bytes per entry. */
export interface Sleeper {
  wake(): void;
}

/** Options of {@link TimingWheel}. */
export interface TimingWheelOptions {
  /** The resolution and maximum delay in ms, a whole number in [1, 60 000]. @default 100 */
  readonly granule?: Millis;
  /** The number of granules in one turn, a power of two up to 2^20. @default 512 */
  readonly slots?: number;
}

const WHEEL_SCHEMA = {
  // Heartbeats are seconds apart, so 0.1 s is precise enough. More than 60 s would miss usual ones.
  granule: { type: 'count', default: 100, min: 1, max: 60_000 },
  // A turn of 51 s is longer than the usual intervals. 2^20 empty lists take 24 MB.
  slots: { type: 'count', default: 512, min: 1, max: 2 ** 20 },
} as const;
const GROWTH = 1.25; // costs 30 bytes an entry at worst where doubling costs 48
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
const NONE = -1;
const NEVER = Number.POSITIVE_INFINITY;
const FREE = Number.NaN; // compares false with every granule

/**
 * Timers for very many connections that use only one timer of another scheduler.
 *
 * G. Varghese, T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 6 (§6.1.2): a
 * hash table of unsorted lists, indexed by the time modulo a turn. Adding, moving and removing are
 * O(1). A hierarchy (scheme 7) has no benefit here: it avoids checking entries that are due in a
 * later turn, and heartbeats are due within one turn.
 *
 * Callbacks never run early, and at most one granule late while nothing blocks the loop. The timer
 * is set for the next granule that has entries; without entries there is no timer.
 *
 * A server has one entry per connection: it calls `add` once, `move` with every beat, and `remove`
 * at the end. A callback that throws does not stop the others; its error becomes an unhandled
 * rejection.
 */
export class TimingWheel implements Scheduler {
  readonly #scheduler: Scheduler;
  readonly #granule: Millis;
  readonly #slots: number;

  // A node has four words, so that one memory access reads all: next, previous, due granule (a
  // double). The lists are rings. Node s < slots is the head of slot s. Node `slots` heads the list
  // that is being processed. The entries follow.
  #words: Int32Array;
  #doubles: Float64Array; // the same memory
  #callbacks: (Sleeper | (() => void) | undefined)[];
  #free: number = NONE; // a list of entries that were removed
  #size = 0;
  #turned = 0; // the last granule that was gone through
  #timer: Timer | undefined;
  #timerAt: number = NEVER; // its granule; that of the last one while the wheel turns
  #phase = 0;

  /** @throws {InvalidOptionError} if an option is out of range or unknown. */
  constructor(scheduler: Scheduler, options: TimingWheelOptions = {}) {
    const { granule, slots } = resolveOptions(WHEEL_SCHEMA, options);
    if (!Number.isInteger(Math.log2(slots))) {
      throw new InvalidOptionError('slots', 'a power of two', slots);
    }
    this.#scheduler = scheduler;
    this.#granule = granule;
    this.#slots = slots;
    const nodes = slots + 1;
    this.#words = new Int32Array(4 * nodes);
    this.#doubles = new Float64Array(this.#words.buffer).fill(FREE);
    for (let node = 0; node < nodes; node += 1) this.#join(node, node);
    this.#callbacks = new Array<undefined>(nodes).fill(undefined);
  }

  /** The number of waiting callbacks. */
  get size(): number {
    return this.#size;
  }

  now(): Instant {
    return this.#scheduler.now();
  }

  at(due: Instant, callback: () => void): Timer {
    let entry: WheelEntry = NONE;
    const release = () => {
      this.remove(entry);
      entry = NONE;
    };
    entry = this.add(due, () => {
      release();
      callback();
    });
    return { cancel: release };
  }

  /**
   * Adds an entry. Runs `callback`, or calls its `wake`, at `due`, and again after each `move`,
   * until `remove`. Never runs it within this call: if it is already due, it runs within one
   * granule.
   */
  add(due: Instant, callback: Sleeper | (() => void)): WheelEntry {
    const entry = this.#take();
    this.#callbacks[entry] = callback;
    this.#setDueAt(entry, NEVER);
    this.#list(entry, this.#granuleOf(due));
    return entry;
  }

  /**
   * Sets a new time, whether the callback waits, runs or has run. `Infinity` for never. A later
   * time takes only one store: the entry stays in its list, and moves on when the earlier time
   * comes.
   */
  move(entry: WheelEntry, due: Instant): void {
    const to = this.#granuleOf(due);
    const from = this.#dueAt(entry);
    if (to >= from && to < NEVER) this.#setDueAt(entry, to);
    else if (!Number.isNaN(from)) {
      this.#unlist(entry);
      this.#list(entry, to);
      this.#rest();
    }
  }

  /**
   * Removes an entry. Does nothing if it was removed already, unless its number is in use again.
   */
  remove(entry: WheelEntry): void {
    if (Number.isNaN(this.#dueAt(entry))) return;
    this.#unlist(entry);
    this.#setDueAt(entry, FREE);
    this.#callbacks[entry] = undefined;
    this.#words[4 * entry] = this.#free;
    this.#free = entry;
    this.#rest();
  }

  /**
   * Returns the next phase in [0, 1), to spread connections over a period. Multiples of the golden
   * ratio modulo 1 are spread about evenly, however many there are (Knuth, TAOCP vol. 3, §6.4,
   * theorem S).
   */
  nextPhase(): number {
    const phase = this.#phase;
    this.#phase = (phase + GOLDEN_RATIO) % 1;
    return phase;
  }

  // Entries.

  #take(): WheelEntry {
    const entry = this.#free;
    if (entry === NONE) {
      if (4 * this.#callbacks.length === this.#words.length) this.#grow();
      return this.#callbacks.push(undefined) - 1;
    }
    this.#free = this.#next(entry);
    return entry;
  }

  #grow(): void {
    const words = this.#words;
    this.#words = new Int32Array(4 * Math.ceil((words.length / 4) * GROWTH));
    this.#doubles = new Float64Array(this.#words.buffer).fill(FREE);
    this.#words.set(words);
  }

  /** The granule at which an entry is due; NEVER if it does not wait, FREE if it was removed. */
  #dueAt(entry: WheelEntry): number {
    return this.#doubles[2 * entry + 1] ?? FREE;
  }

  #setDueAt(entry: WheelEntry, granule: number): void {
    this.#doubles[2 * entry + 1] = granule;
  }

  // Lists.

  /** Adds an entry that does not wait to its list. */
  #list(entry: WheelEntry, granule: number): void {
    if (granule === NEVER) return;
    if (this.#size === 0) this.#turned = this.#present(); // there was nothing to go through
    const dueAt = granule > this.#turned ? granule : this.#turned + 1; // NaN: as in the past
    this.#setDueAt(entry, dueAt);
    this.#size += 1;
    this.#append(this.#slotOf(dueAt), entry);
    if (dueAt < this.#timerAt) this.#setTimer(dueAt);
  }

  #unlist(entry: WheelEntry): void {
    if (this.#dueAt(entry) === NEVER) return;
    this.#takeOut(entry);
    this.#setDueAt(entry, NEVER);
    this.#size -= 1;
  }

  #next(node: number): number {
    return this.#words[4 * node] as number;
  }

  #join(node: number, next: number): void {
    this.#words[4 * node] = next;
    this.#words[4 * next + 1] = node;
  }

  #append(list: number, entry: number): void {
    this.#join(this.#words[4 * list + 1] as number, entry);
    this.#join(entry, list);
  }

  #takeOut(node: number): void {
    this.#join(this.#words[4 * node + 1] as number, this.#next(node));
  }

  #isEmpty(list: number): boolean {
    return this.#next(list) === list;
  }

  // Time.

  /** Also correct for granules above 2^31: `&` takes the low bits of any whole number. */
  #slotOf(granule: number): number {
    return granule & (this.#slots - 1);
  }

  /**
   * The first granule not to begin before `due`. Exact: the division never rounds to a wrong whole
   * number.
   */
  #granuleOf(due: Instant): number {
    return Math.ceil(due / this.#granule);
  }

  /** The last granule that has begun. Time that is no number stands still. */
  #present(): number {
    const granule = Math.floor(this.#scheduler.now() / this.#granule);
    return Number.isSafeInteger(granule) ? granule : this.#turned;
  }

  #setTimer(granule: number): void {
    this.#timer?.cancel();
    this.#timerAt = granule;
    this.#timer = this.#scheduler.at(granule * this.#granule, () => this.#turn());
  }

  /** Cancels the timer if no entry waits. */
  #rest(): void {
    if (this.#size > 0 || this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#timerAt = NEVER;
  }

  /**
   * Processes the granules that have begun since the last call, in order. After a long stall,
   * processes only those of the first turn and of the last turn, which together contain everything
   * overdue.
   */
  #turn(): void {
    const start = this.#turned;
    const end = this.#present();
    const endOfFirst = Math.min(end, start + this.#slots);
    const startOfLast = Math.max(endOfFirst, end - this.#slots);
    this.#timer = undefined;
    this.#turned = end; // what callbacks add is due later, so this comes to an end
    for (let granule = start + 1; granule <= endOfFirst; granule += 1) this.#goThrough(granule);
    for (let granule = startOfLast + 1; granule <= end; granule += 1) this.#goThrough(granule);
    this.#timerAt = NEVER;
    if (this.#size > 0) this.#setTimer(this.#nextListed());
  }

  #goThrough(granule: number): void {
    const slot = this.#slotOf(granule);
    if (this.#isEmpty(slot)) return;
    // Moves the entries to a spare head, so that callbacks may change the slot.
    const list = this.#slots;
    this.#append(slot, list);
    this.#takeOut(slot);
    this.#join(slot, slot);
    while (!this.#isEmpty(list)) this.#meet(this.#next(list), granule);
  }

  #meet(entry: WheelEntry, granule: number): void {
    const dueAt = this.#dueAt(entry);
    if (dueAt > granule) {
      this.#takeOut(entry); // due in a later turn, or it was moved
      return this.#append(this.#slotOf(dueAt), entry);
    }
    this.#unlist(entry);
    const callback = this.#callbacks[entry] as Sleeper | (() => void);
    try {
      if (typeof callback === 'function') callback();
      else callback.wake();
    } catch (error) {
      void Promise.reject(error); // as `guarded` does, without a closure for each entry
    }
  }

  #nextListed(): number {
    let ahead = 1;
    while (ahead < this.#slots && this.#isEmpty(this.#slotOf(this.#turned + ahead))) ahead += 1;
    return this.#turned + ahead;
  }
}
