import { CloseCode, type Instant, type Millis } from '@wirebeat/core';
import { type OwnEnd, type OwnReason, ownEnd } from '../close-record.ts';
import type { ConnectionId, GiveOrder } from './orders.ts';

export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** How late a timer may be before it is a stall, and the extra time after a stall. */
export const PATIENCE: Millis = 1_000;

/** One connection, from the request for its address to its end, with its only timer. */
export class ConnectionState {
  readonly id: ConnectionId;
  openedAt: Instant = NEVER;
  readyAt: Instant = NEVER;
  /** Whether it has answered a ping. */
  isAnswered = false;
  isSuspect = false;
  /** Why this side is ending it. */
  own: OwnEnd | undefined;
  /** When its timer expires. */
  due: Instant;
  readonly #order: GiveOrder;
  #lateDue: Instant | undefined; // the `due` that was set because the timer was late

  constructor(id: ConnectionId, due: Instant, order: GiveOrder) {
    this.id = id;
    this.due = due;
    this.#order = order;
  }

  get isOpen(): boolean {
    return this.openedAt < NEVER;
  }

  /** Returns whether the timer has expired. After a stall, waits once more for what has arrived. */
  isExpired(now: Instant): boolean {
    if (now < this.due) return false;
    if (now <= this.due + PATIENCE || this.due === this.#lateDue) return true;
    this.due = this.#lateDue = now + PATIENCE;
    return false;
  }

  /**
   * Ends the connection: orders `end`, after which the owner reports the fact `end`. `isHealthy`: its
   * socket can complete the closing handshake.
   */
  end(reason: OwnReason, isHealthy = false): void {
    this.own = ownEnd(reason, isHealthy);
    // Sent in case the link is alive after all, so that the server sees 1000.
    const isReplaced = reason === 'replaced' || reason === 'unanswered';
    const text = isReplaced ? 'replaced' : reason;
    if (isHealthy || isReplaced) this.#order('close', this.id, CloseCode.Normal, text);
    this.#order('end', this.id, isHealthy ? undefined : reason.replace('-', ' '));
  }
}
