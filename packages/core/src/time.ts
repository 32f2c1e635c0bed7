/** A duration in milliseconds. Every duration of wirebeat is one; none carries a unit in its name. */
export type Millis = number;

/**
 * A point on a monotonic clock, in milliseconds since an origin of that clock's own.
 *
 * Never compared with wall time: the wall clock may jump, an `Instant` may not.
 */
export type Instant = number;

/** A callback that waits for its time. */
export interface Timer {
  /** Ends the wait. Does nothing once the callback has run. */
  cancel(): void;
}

/** Tells the time and runs callbacks later: all that wirebeat wants of a runtime's clock. */
export interface Scheduler {
  now(): Instant;
  /**
   * Runs `callback` once, at `due` or later.
   *
   * It may run early: by up to 1 ms, as the timers of some runtimes do, and by any time if `due` is
   * further off than {@link MAX_DELAY}. Who must not act early compares `now()` and waits again.
   */
  at(due: Instant, callback: () => void): Timer;
}

/** The longest wait that the timers of JavaScript keep; a longer one fires at once. */
export const MAX_DELAY: Millis = 2 ** 31 - 1;
