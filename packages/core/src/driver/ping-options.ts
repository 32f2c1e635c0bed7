import type { AbortSignalLike } from '../on-abort.ts';
import type { Millis } from '../time.ts';

/** Options of `ping()`. */
export interface PingOptions {
  /**
   * The id to put in the ping; the pong carries it too. 1 to 16 letters, digits, `_` or `-`, and
   * not the id of an unanswered ping. A peer that answers only bare pings does not answer a ping
   * with an id.
   * @default none, or a generated id if the ping needs one
   */
  readonly id?: string;
  /**
   * Time in ms until the promise rejects, in (0, 2^31 - 1]. `false` for no timeout.
   * @default the `pingTimeout` of the connection
   */
  readonly timeout?: Millis | false;
  /**
   * Aborting it rejects the promise with the reason of the signal. The ping is sent all the same.
   */
  readonly signal?: AbortSignalLike;
}
