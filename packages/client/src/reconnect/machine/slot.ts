import type { Instant, Millis } from '@wirebeat/core';
import { type OwnEnd, type OwnReason, ownEnd } from '../close-record.ts';
import type { ConnectionId, ReconnectOrder } from './orders.ts';

export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** How late a timer may be before it is a stall, and the extra time after a stall. */
export const PATIENCE: Millis = 1_000;

/** One connection, from the request for its address to its end, with its only timer. */
export class Slot {
  readonly id: ConnectionId;
  openedAt: Instant | undefined;
  readyAt: Instant | undefined;
  /** Whether it has answered a ping. */
  isAnswered = false;
  isSuspect = false;
  /** Why this side is ending it. */
  end: OwnEnd | undefined;
  #due: Instant;
  #isLate = false; // whether the timer was late, so that it was set once more

  constructor(id: ConnectionId, due: Instant) {
    this.id = id;
    this.#due = due;
  }

  get isOpen(): boolean {
    return this.openedAt !== undefined;
  }

  get due(): Instant {
    return this.#due;
  }

  set due(due: Instant) {
    this.#due = due;
    this.#isLate = false;
  }

  /** Returns whether the timer has expired. After a stall, waits once more for what has arrived. */
  isExpired(now: Instant): boolean {
    if (now < this.#due) return false;
    if (now <= this.#due + PATIENCE || this.#isLate) return true;
    this.#due = now + PATIENCE;
    this.#isLate = true;
    return false;
  }
}

/**
 * Ends a connection. Each list contains one order that the fact `ended` answers. `isHealthy`: its
 * socket can complete the closing handshake.
 */
export function endOrders(
  slot: Slot | undefined,
  reason: OwnReason,
  isHealthy = false,
): ReconnectOrder[] {
  if (slot === undefined) return [];
  const { id } = slot;
  slot.end = ownEnd(reason, isHealthy);
  const { code, text } = slot.end;
  if (isHealthy)
    return [
      { type: 'close', id, code, text },
      { type: 'detach', id },
    ];
  const drop: ReconnectOrder = { type: 'terminate', id, text: reason.replace('-', ' ') };
  // The link may be alive after all. Then the server receives a normal close code.
  const isReplaced = reason === 'replaced' || reason === 'unanswered';
  return isReplaced ? [{ type: 'close', id, code: 1000, text: 'replaced' }, drop] : [drop];
}
