import { ConnectionClosedError } from '@wirebeat/core';
import type { Flushed } from './outbox.ts';

/**
 * How many messages were sent: the seq of the last one of the queue, and the count of direct ones.
 */
export interface Position {
  readonly seq: number;
  readonly direct: number;
}

interface Waiter extends Position {
  readonly resolve: (flushed: Flushed) => void;
  readonly reject: (error: unknown) => void;
}

/** The calls of `flushed()` that wait until all messages up to a position are confirmed. */
export class FlushWaiters {
  readonly #waiters: Set<Waiter> = new Set();

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Resolves once {@link resolveIf} accepts the position. */
  add(position: Position): Promise<Flushed> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ ...position, resolve, reject });
    });
  }

  /** Resolves all whose messages are confirmed. */
  resolveIf(isConfirmed: (position: Position) => boolean, flushed: Flushed): void {
    for (const waiter of this.#waiters) {
      if (isConfirmed(waiter) && this.#waiters.delete(waiter)) waiter.resolve(flushed);
    }
  }

  /** Rejects all whose messages will not arrive. */
  rejectIf(
    isHopeless: (position: Position) => boolean = () => true,
    error: unknown = new ConnectionClosedError(),
  ): void {
    for (const waiter of this.#waiters) {
      if (isHopeless(waiter) && this.#waiters.delete(waiter)) waiter.reject(error);
    }
  }
}
