import { QueueOverflowError, type SocketData } from '@wirebeat/core';

/** What to do with a message that does not fit into the queue. */
export type QueuePolicy = 'error' | 'drop-oldest' | 'drop-newest';

/** The limits of a queue. */
export interface QueueBounds {
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
  readonly queuePolicy: QueuePolicy;
}

/** A queue, as far as its limits are concerned. */
interface Room {
  /** Returns whether there are at most so many bytes and messages. */
  fits(maxBytes: number, maxMessages: number): boolean;
  /** Removes and returns the oldest message. */
  shift(): SocketData;
}

/**
 * Makes room in a queue for a message of `size` bytes. Returns the messages dropped for it; undefined
 * if it is dropped itself.
 *
 * @throws {QueueOverflowError} if it does not fit and the policy is `error`.
 */
export function makeRoom(
  size: number,
  { maxQueuedBytes, maxQueuedMessages, queuePolicy }: QueueBounds,
  room: Room,
): SocketData[] | undefined {
  const dropped: SocketData[] = [];
  while (!room.fits(maxQueuedBytes - size, maxQueuedMessages - 1)) {
    if (queuePolicy === 'error') throw new QueueOverflowError(maxQueuedBytes, maxQueuedMessages);
    // A message that can never fit is dropped itself, rather than others.
    const isHopeless = size > maxQueuedBytes || maxQueuedMessages === 0;
    if (queuePolicy === 'drop-newest' || isHopeless) return undefined;
    dropped.push(room.shift());
  }
  return dropped;
}
