import type { Instant, Millis } from '../time.ts';

const NEVER: Instant = Number.POSITIVE_INFINITY;
/**
 * The longest time that a ping may wait behind bytes queued before it, as a multiple of
 * pingTimeout.
 */
export const BACKLOG_TIMEOUTS = 5;

/**
 * The time by which a ping must be answered. Counts from the oldest ping since which nothing at all
 * was received. The object exists only while there is such a ping, so an idle connection needs no
 * memory for it.
 */
export class AnswerDeadline {
  readonly since: Instant;
  suspectAt: Instant;
  timeoutAt: Instant;
  #deferredTo: Instant; // the latest timeoutAt, if bytes were queued ahead of the ping

  constructor(now: Instant, suspicion: Millis, pingTimeout: Millis, isBacklogged: boolean) {
    this.since = now;
    this.suspectAt = now + suspicion;
    this.timeoutAt = now + pingTimeout;
    this.#deferredTo = isBacklogged ? now + BACKLOG_TIMEOUTS * pingTimeout : NEVER;
  }

  /** Whether bytes were queued ahead of the ping and may still be queued. */
  get isDeferred(): boolean {
    return this.#deferredTo !== NEVER;
  }

  /** Moves `suspectAt` forward to `at`, if that is earlier. */
  hurry(at: Instant): void {
    if (at < this.suspectAt) this.suspectAt = at;
  }

  /**
   * Restarts the timeout, because the ping may still be queued or may have only just been sent. The
   * total is limited: a queue that drains does not prove that the peer is alive.
   */
  defer(now: Instant, pingTimeout: Millis, isBacklogged: boolean): void {
    this.timeoutAt = Math.min(now + pingTimeout, this.#deferredTo);
    if (!isBacklogged || now >= this.#deferredTo) this.#deferredTo = NEVER;
  }
}
