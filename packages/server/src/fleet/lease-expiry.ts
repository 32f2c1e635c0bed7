import type { Instant, Millis } from '@wirebeat/core';

/** Part of a lease that a node does not use, because its clock and that of the registry differ. */
const MARGIN = 2 / 15;

/**
 * What a node knows of its own lease. It counts from the moment at which the last confirmed renewal was
 * *sent*, so it always ends before the registry thinks that it does.
 *
 * The monotonic clock stands still while a virtual machine is suspended. The wall clock does not, so a
 * lease must be valid by both before a connection may count as current.
 */
export class LeaseExpiry {
  readonly #span: Millis;
  #until: Instant = Number.NEGATIVE_INFINITY;
  #wallUntil: number = Number.NEGATIVE_INFINITY;

  constructor(lease: Millis) {
    this.#span = lease * (1 - MARGIN);
  }

  /** When it ends by the monotonic clock. */
  get until(): Instant {
    return this.#until;
  }

  /** The renewal that was sent at `now` has been confirmed. */
  confirm(now: Instant, wallNow: number): void {
    this.#until = Math.max(this.#until, now + this.#span);
    this.#wallUntil = wallNow + this.#span;
  }

  /** The registry has said that the lease has ended. */
  end(): void {
    this.#until = this.#wallUntil = Number.NEGATIVE_INFINITY;
  }

  isHeld(now: Instant): boolean {
    return now < this.#until;
  }

  /** Whether connections of this node may count as current. */
  isCertain(now: Instant, wallNow: number): boolean {
    return now < this.#until && wallNow < this.#wallUntil;
  }
}
