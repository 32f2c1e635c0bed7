import {
  type Instant,
  type Millis,
  type Scheduler,
  SystemScheduler,
  TIMER_SLACK,
  TimingWheel,
  type WheelEntry,
} from '@wirebeat/core';

/** The entry of a connection that has left the wheel. Operations on it do nothing. */
export const NO_ENTRY: WheelEntry = -1;
/** Length in ms of a granule of the wheel: deadlines are met to within that. */
export const GRANULE: Millis = 10;
const SLOTS = 4_096; // a turn lasts 41 s, longer than the usual intervals
/**
 * Number of granules considered for each ping. Y. Azar et al., "Balanced Allocations", SIAM J. Comput.
 * 29(1), 1999: with this many choices, the fullest of n bins exceeds the mean by log log n / log 4;
 * with one choice, by log n / log log n.
 */
const CHOICES = 4;
/** A burst is a batch with more pings than twice the planned number plus this. */
const BURST = 8;

/**
 * Chooses when pings are due. It holds the scheduler of the connections and counts the pings planned in
 * each granule. It subtracts the random part of each interval so that the ping lands in a batch with few
 * pings. So batches stay of equal size even if all connections open at once or after a stall.
 */
export class PingPlanner {
  readonly scheduler: Scheduler;
  /** The wheel with the deadlines of the connections: the scheduler itself, if that is a wheel. */
  readonly wheel: TimingWheel;
  /** The length of a granule of that wheel, in ms. */
  readonly granule: Millis;
  /** How late a timer may fire, in ms, before that counts as a stall. */
  readonly timerSlack: Millis;
  readonly #beats: Uint16Array = new Uint16Array(SLOTS);
  readonly #granules: Float64Array = new Float64Array(SLOTS); // the granule that each slot of #beats counts for
  #isOpening = false;
  #granule = 0; // granule of the last draw
  #drawn = 0; // number of draws in that granule
  #planned = 0; // number of pings planned for them
  #group: number | undefined; // whose interval was placed last
  #groupEnds: Instant = 0; // when that interval ends

  /** Wraps a scheduler that is not a timing wheel in one, with granules of 1 ms. */
  constructor(scheduler: Scheduler, timerSlack: Millis = TIMER_SLACK, granule: Millis = 1) {
    this.granule = granule;
    const isWheel = scheduler instanceof TimingWheel;
    this.scheduler = scheduler;
    this.wheel = isWheel ? scheduler : new TimingWheel(scheduler, { granule: 1, slots: SLOTS });
    this.timerSlack = timerSlack;
  }

  /**
   * Opens a connection. Its first interval ends anywhere in a full interval, not just within the
   * jitter.
   */
  opening(open: () => void): void {
    this.#isOpening = true;
    try {
      open();
    } finally {
      this.#isOpening = false;
    }
  }

  /**
   * Returns the length of an interval that begins now, in whole ms: `interval` less a random part up to
   * `jitter`. If it can, it ends at a multiple of `batch`, which is in ms, and together with the last
   * interval placed, if that was of the same `group` of connections.
   */
  place(
    interval: Millis,
    jitter: number,
    random: () => number,
    batch: Millis = GRANULE,
    group?: number,
  ): Millis {
    if (jitter === 0 || interval === Number.POSITIVE_INFINITY) return interval;
    const now = this.scheduler.now();
    const part = this.#isOpening || this.#isBurst(now, batch) ? 1 : jitter;
    const length = this.#besideGroup(now, interval * (1 - part), interval, group);
    if (length !== undefined) return length;
    const placed = this.#placeAmongFew(now, part, interval, random, batch);
    this.#group = group;
    this.#groupEnds = Math.floor(now) + placed;
    return placed;
  }

  /** Returns the length of an interval in [least, most] that ends with the last one of its group. */
  #besideGroup(now: Instant, least: Millis, most: Millis, group?: number): Millis | undefined {
    if (group === undefined || group !== this.#group) return undefined;
    const length = this.#groupEnds - Math.floor(now);
    if (length <= 0 || length < least || length > most) return undefined;
    const granule = granuleOf(now + length);
    this.#take(granule, this.#beatsIn(granule) + 1);
    return length;
  }

  /** Draws a few ends of an interval, and takes the first that has the fewest pings. */
  #placeAmongFew(
    now: Instant,
    part: number,
    interval: Millis,
    random: () => number,
    batch: Millis,
  ): Millis {
    let best = interval;
    let bestGranule = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let choice = 0; choice < CHOICES && fewest > 0; choice += 1) {
      const chance = random();
      const drawn = Math.ceil(interval * (1 - part * chance));
      const least = interval * (1 - part);
      const length = batch === GRANULE ? drawn : aligned(drawn, least, interval, now, batch);
      const granule = granuleOf(now + length);
      const beats = this.#beatsIn(granule);
      if (beats >= fewest) continue;
      best = length;
      bestGranule = granule;
      fewest = beats;
    }
    this.#take(bestGranule, fewest + 1);
    return best;
  }

  /** After a stall, very many pings are due at once. This must not repeat one interval later. */
  #isBurst(now: Instant, batch: Millis): boolean {
    const granule = Math.floor(now / GRANULE);
    if (granule !== this.#granule) {
      this.#granule = granule;
      this.#drawn = 0;
      this.#planned = 0;
      for (let since = 0; since * GRANULE < batch; since += 1) {
        this.#planned += this.#beatsIn(granule - since);
      }
    }
    this.#drawn += 1;
    return this.#drawn > 2 * this.#planned + BURST;
  }

  #beatsIn(granule: number): number {
    const slot = granule & (SLOTS - 1);
    return this.#granules[slot] === granule ? (this.#beats[slot] as number) : 0;
  }

  #take(granule: number, beats: number): void {
    const slot = granule & (SLOTS - 1);
    this.#granules[slot] = granule;
    this.#beats[slot] = beats;
  }
}

let shared: PingPlanner | undefined;

/**
 * Returns the ping planner of this process: one timing wheel, and so one timer, for all connections
 * of all servers. Created on first use. Its timer does not keep the process running, and no timer is
 * set while the wheel is empty.
 */
export function sharedPingPlanner(): PingPlanner {
  if (shared !== undefined) return shared;
  const wheel = new TimingWheel(new SystemScheduler({ unref: true }), {
    granule: GRANULE,
    slots: SLOTS,
  });
  shared = new PingPlanner(wheel, TIMER_SLACK + GRANULE, GRANULE);
  return shared;
}

/** Returns the length of the interval in [least, most] that ends with the batch nearest to `length`. */
function aligned(length: Millis, least: Millis, most: Millis, now: Instant, batch: Millis): Millis {
  const begins = Math.floor(now);
  const nearest = Math.round((begins + length) / batch) * batch - begins;
  if (nearest > most) return nearest - batch >= least ? nearest - batch : length;
  if (nearest >= least && nearest > 0) return nearest;
  return nearest + batch <= most ? nearest + batch : length;
}

/**
 * Returns the granule of a deadline as the wheel computes it: the first that does not begin too early.
 */
function granuleOf(due: Instant): number {
  return Math.ceil(due / GRANULE);
}
