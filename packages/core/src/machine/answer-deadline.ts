import type { Instant, Millis } from '../time.ts';

const NEVER: Instant = Number.POSITIVE_INFINITY;
/** So many times pingTimeout a ping may wait behind bytes that were queued before it. */
export const BACKLOG_TIMEOUTS = 5;

/**
 * The third clock: the time since the oldest ping after which nothing at all was received. There is
 * one only while there is such a ping, so that a connection at rest pays nothing for it.
 */
export class AnswerDeadline {
  readonly since: Instant;
  suspectAt: Instant;
  timeoutAt: Instant;
  #deferredTo: Instant; // bytes were queued ahead of the ping: no later than this

  constructor(now: Instant, suspicion: Millis, pingTimeout: Millis, isBacklogged: boolean) {
    this.since = now;
    this.suspectAt = now + suspicion;
    this.timeoutAt = now + pingTimeout;
    this.#deferredTo = isBacklogged ? now + BACKLOG_TIMEOUTS * pingTimeout : NEVER;
  }

  /** Whether bytes were queued ahead of the ping, and may be yet. */
  get isDeferred(): boolean {
    return this.#deferredTo !== NEVER;
  }

  /** Suspects no later than `at`. */
  hurry(at: Instant): void {
    if (at < this.suspectAt) this.suspectAt = at;
  }

  /**
   * The time is over, but the ping may still be queued, or has only just left: it gets its time
   * anew, within bounds. That the queue drains proves nothing of the peer, so there is an end.
   */
  defer(now: Instant, pingTimeout: Millis, isBacklogged: boolean): void {
    this.timeoutAt = Math.min(now + pingTimeout, this.#deferredTo);
    if (!isBacklogged || now >= this.#deferredTo) this.#deferredTo = NEVER;
  }
}
