import type { Instant, Millis } from '@wirebeat/core';

const PER_INTERVAL = 10;

/**
 * When a node renews its lease early to write the leaves of users whose grace period is over: at most
 * ten times in one renewal interval, however many leave. If one renewal cannot write all leaves that are
 * due, `LeaseHolder` repeats it at once.
 */
export class EarlyRenewals {
  readonly #gap: Millis;
  readonly #due: Instant[] = [];

  constructor(interval: Millis) {
    this.#gap = interval / PER_INTERVAL;
  }

  /** When the next one is due, or `Infinity`. */
  get next(): Instant {
    return this.#due[0] ?? Number.POSITIVE_INFINITY;
  }

  /** A grace period ends at `due`. */
  add(due: Instant): void {
    const last = this.#due.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (due > last) this.#due.push(Math.max(due, last + this.#gap));
  }

  /** The lease was renewed at `now`. */
  done(now: Instant): void {
    while (this.next <= now) this.#due.shift();
  }
}
