import type { Instant, Millis, Scheduler } from '@wirebeat/core';
import type { ByteCounter } from './server-socket.ts';

/**
 * A long message on its way: its bytes are life, though nothing whole comes, and no Pong can come
 * before it is whole.
 *
 * There is one only between a protocol Ping and the next whole thing: messages, Pings and Pongs tell
 * their time themselves.
 */
export class Progress {
  readonly counter: ByteCounter;
  #seen: number; // bytes read as was last looked
  #pardonedAt: Instant | undefined;

  constructor(counter: ByteCounter) {
    this.counter = counter;
    this.#seen = counter.bytesRead;
  }

  /** Another protocol Ping goes out. */
  asked(): void {
    this.#seen = this.counter.bytesRead;
  }

  /**
   * Time has passed. `life`: more of it has come. `pardon`: and has for so long that the answers owed
   * meanwhile are to be forgiven, lest the peer be `one-way`. That is asked for once in `pardonAfter`.
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
