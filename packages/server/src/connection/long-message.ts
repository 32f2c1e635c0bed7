import type { Instant, Millis, Scheduler } from '@wirebeat/core';
import type { ByteCounter } from './server-socket.ts';

/**
 * Tracks a long message that is still arriving. Its bytes prove that the peer is alive, although no
 * complete message has arrived yet and no Pong can arrive before the message is complete.
 *
 * It exists only between a protocol Ping and the next complete message, Ping or Pong: those are noticed
 * when they arrive.
 */
export class LongMessage {
  readonly counter: ByteCounter;
  #seen: number; // bytes read at the last check
  #pardonedAt: Instant | undefined;

  /** `seen` is the number of bytes that had been read when the Ping was sent. */
  constructor(counter: ByteCounter, seen: number = counter.bytesRead) {
    this.counter = counter;
    this.#seen = seen;
  }

  /** Another protocol Ping is being sent. */
  asked(): void {
    this.#seen = this.counter.bytesRead;
  }

  /**
   * Checks for new bytes. Returns `life` if more of the message has arrived. Returns `pardon` instead
   * once in every `pardonAfter` ms: the message has then been arriving for so long that the outstanding
   * pings must be cancelled, or the peer would be declared `one-way`.
   */
  look(clock: Pick<Scheduler, 'now'>, pardonAfter: Millis): 'life' | 'pardon' | undefined {
    const { bytesRead } = this.counter;
    if (bytesRead <= this.#seen) return undefined;
    this.#seen = bytesRead;
    const now = clock.now();
    const since = this.#pardonedAt;
    if (since !== undefined && now - since < pardonAfter) return 'life';
    this.#pardonedAt = now;
    return since === undefined ? 'life' : 'pardon';
  }
}
