/** A duration in milliseconds. All durations in wirebeat are in ms, without a unit in the name. */
export type Millis = number;

/**
 * A point in time on a monotonic clock, in milliseconds since the origin of that clock.
 *
 * Never compare it with wall time: the wall clock may jump, a monotonic clock does not.
 */
export type Instant = number;

/** A scheduled callback. */
export interface Timer {
  /** Cancels the callback. Does nothing once the callback has run. */
  cancel(): void;
}

/** A clock with timers: everything that wirebeat needs from the clock of a runtime. */
export interface Scheduler {
  now(): Instant;
  /**
   * Runs `callback` once, at `due` or later.
   *
   * It may run up to 1 ms early, as with the timers of some runtimes, and at any earlier time if
   * `due` is more than {@link MAX_DELAY} away. If this matters, compare `now()` and schedule it
   * again.
   */
  at(due: Instant, callback: () => void): Timer;
}

/** The longest delay of JavaScript timers, in ms. A timer with a longer delay fires at once. */
export const MAX_DELAY: Millis = 2 ** 31 - 1;
