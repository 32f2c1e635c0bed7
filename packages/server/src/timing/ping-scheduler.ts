import {
  type Instant,
  type Millis,
  type Scheduler,
  SystemScheduler,
  TIMER_SLACK,
  TimingWheel,
  type WheelEntry,
} from '@wirebeat/core';

/** That of who waits in the wheel no more: nothing happens to it. */
export const NO_ENTRY: WheelEntry = -1;
/** How long a granule of the wheel is: pings of one granule go out together. */
export const GRANULE: Millis = 10; // 10 000 connections: 3 to 4 pings each, 50 µs of work
const SLOTS = 4_096; // a turn of 41 s: the usual intervals are met in their first turn
/**
 * Places that are looked at for each beat. Y. Azar et al., "Balanced Allocations", SIAM J. Comput.
 * 29(1), 1999: the fullest of n is over the mean by log log n / log 4, where one place would give
 * log n / log log n.
 */
const CHOICES = 4;
/** More in one granule than twice what was planned for it, and this, is a burst. */
const BURST = 8;

/**
 * When beats are due: the scheduler of the connections, and how many beats each of its granules has
 * been given. Of each interval chance takes its part so that the beat falls where there are few:
 * however connections came, at once or after a stall, their pings spread and never burst.
 */
export class PingScheduler {
  readonly scheduler: Scheduler;
  /** What wakes the connections: the scheduler itself, if it is a wheel. */
  readonly wheel: TimingWheel;
  /** How late a timer may be until that is a stall. */
  readonly timerSlack: Millis;
  readonly #beats: Uint16Array = new Uint16Array(SLOTS);
  readonly #granules: Float64Array = new Float64Array(SLOTS); // whose beats those are
  #isOpening = false;
  #granule = 0; // of the last draw
  #drawn = 0; // in that

  /** A scheduler that is no wheel gets one on top of it, of the finest granules. */
  constructor(scheduler: Scheduler, timerSlack: Millis = TIMER_SLACK) {
    const isWheel = scheduler instanceof TimingWheel;
    this.scheduler = scheduler;
    this.wheel = isWheel ? scheduler : new TimingWheel(scheduler, { granule: 1, slots: SLOTS });
    this.timerSlack = timerSlack;
  }

  /** A connection begins: its first interval ends anywhere in a period, not just within the jitter. */
  opening(open: () => void): void {
    this.#isOpening = true;
    try {
      open();
    } finally {
      this.#isOpening = false;
    }
  }

  /** How long a period that begins now is: `interval` less what `jitter` allows, in whole ms. */
  place(interval: Millis, jitter: number, random: () => number): Millis {
    if (jitter === 0 || interval === Number.POSITIVE_INFINITY) return interval;
    const now = this.scheduler.now();
    const part = this.#isOpening || this.#isBurst(granuleOf(now)) ? 1 : jitter;
    let best = interval;
    let bestGranule = 0;
    let fewest = Number.POSITIVE_INFINITY;
    for (let choice = 0; choice < CHOICES && fewest > 0; choice += 1) {
      const chance = random();
      const length = Math.ceil(interval * (1 - part * chance));
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

  /** After a stall very many are asked at once: they shall not be again a period later. */
  #isBurst(granule: number): boolean {
    this.#drawn = granule === this.#granule ? this.#drawn + 1 : 1;
    this.#granule = granule;
    return this.#drawn > 2 * this.#beatsIn(granule) + BURST;
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

let shared: PingScheduler | undefined;

/**
 * That of this process: one timing wheel, so one timer, for all connections of all its servers. Made
 * when it is first asked for. Its timer keeps no process running, and there is none while nothing
 * waits.
 */
export function sharedPingScheduler(): PingScheduler {
  if (shared !== undefined) return shared;
  const wheel = new TimingWheel(new SystemScheduler({ unref: true }), {
    granule: GRANULE,
    slots: SLOTS,
  });
  shared = new PingScheduler(wheel, TIMER_SLACK + GRANULE);
  return shared;
}

/** As the wheel has it: the first not to begin before it is due. */
function granuleOf(due: Instant): number {
  return Math.ceil(due / GRANULE);
}
