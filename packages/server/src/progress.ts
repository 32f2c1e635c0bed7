import type { Instant, Millis, Scheduler } from '@wirebeat/core';
import type { ByteCounter } from './server-socket.ts';

const NONE = -1;

/**
 * A long message on its way: its bytes are life, though nothing whole comes, and no Pong can come
 * before it is whole.
 *
 * Bytes count only between a protocol Ping and the next whole thing: messages, Pings and Pongs tell
 * their time themselves.
 */
export class Progress {
  readonly #counter: ByteCounter;
  #seen: number = NONE; // bytes read as was last looked; NONE where no answer is waited for
  #pardonedAt: Instant | undefined;

  constructor(counter: ByteCounter) {
    this.#counter = counter;
  }

  /** A protocol Ping goes out. */
  asked(): void {
    this.#seen = this.#counter.bytesRead;
  }

  /** Something whole came. */
  heard(): void {
    this.#seen = NONE;
    this.#pardonedAt = undefined;
  }

  /**
   * Time has passed. `life`: more of it has come. `pardon`: and has for so long that the answers owed
   * meanwhile are to be forgiven, lest the peer be `one-way`. That is asked for once in `pardonAfter`.
   */
  look(clock: Pick<Scheduler, 'now'>, pardonAfter: Millis): 'life' | 'pardon' | undefined {
    const { bytesRead } = this.#counter;
    if (this.#seen === NONE || bytesRead <= this.#seen) return undefined;
    this.#seen = bytesRead;
    const now = clock.now();
    const since = this.#pardonedAt;
    if (since !== undefined && now - since < pardonAfter) return 'life';
    this.#pardonedAt = now;
    return since === undefined ? 'life' : 'pardon';
  }
}
