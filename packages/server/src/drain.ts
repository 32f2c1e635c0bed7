import { type Millis, resolveOptions, type Timer } from '@wirebeat/core';
import { Stagger, type StaggerOptions } from './stagger.ts';

/** Options of `drain`. */
export interface DrainOptions {
  /** Time in ms over which the server closes the connections. @default 10_000 */
  readonly within?: Millis;
  /**
   * Time in ms that clients are asked to wait before they reconnect, in [0, 600 000]: if there is no
   * other server, pass `within` plus the time that a restart takes. With 0, clients wait for their own backoff.
   * @default 0
   */
  readonly retryAfter?: Millis;
}

/** The options of `drain`. Durations are in ms. */
export const DRAIN_SCHEMA = {
  within: { type: 'duration', default: 10_000 }, // process managers often wait this long before they kill
  retryAfter: { type: 'number', default: 0, min: 0, max: 600_000 }, // clients cap the value at this
} as const;

/**
 * How long the last closing handshakes may take. Connections that are still open then are terminated.
 */
const GRACE: Millis = 1_000;

/** What a {@link Drain} needs of a connection. */
export interface Drainable {
  /** Stops pinging the peer and checking its answers. */
  stopPinging(): void;
  /** Closes the connection and tells the client how long to wait before it reconnects, in ms. */
  closeForRestart(retryAfter: Millis): void;
  /** Drops the connection at once because it did not close in time. */
  terminate(): void;
}

/** A map or set of them. */
interface Connections {
  readonly size: number;
  values(): Iterable<Drainable>;
}

/** What a {@link Drain} needs of its server. */
export interface DrainClock extends Omit<StaggerOptions, 'within'> {
  /** All connections have ended. The drain is done when this resolves. */
  readonly ended?: () => PromiseLike<unknown> | undefined;
}

/** {@link DrainOptions} with every default filled in. */
export type ResolvedDrainOptions = Required<DrainOptions>;

/** @throws {InvalidOptionError} if an option is out of range or unknown. */
export function resolveDrainOptions(options: DrainOptions = {}): ResolvedDrainOptions {
  return resolveOptions(DRAIN_SCHEMA, options);
}

/**
 * Closes all connections of a server at staggered times, so that the clients also reconnect at
 * staggered times. Connections that open meanwhile are closed at once.
 */
export class Drain {
  /** Resolves when no connection is left, or when the time is up. */
  readonly done: Promise<void>;
  readonly #left: Connections;
  readonly #retryAfter: Millis;
  readonly #spread: Stagger<Drainable>;
  readonly #limit: Timer;
  readonly #ended: DrainClock['ended'];
  #resolve: (last?: PromiseLike<unknown>) => void = () => {};

  /**
   * Starts to drain. `left` are the open connections, live: the drain checks their number when one
   * ends.
   */
  constructor(
    left: Connections,
    { within, retryAfter }: ResolvedDrainOptions,
    { ended, ...clock }: DrainClock,
  ) {
    this.#ended = ended;
    this.#left = left;
    this.#retryAfter = retryAfter;
    this.done = new Promise((resolve) => {
      this.#resolve = (last) => resolve(last as PromiseLike<void> | undefined);
    });
    const connections = [...left.values()];
    for (const connection of connections) connection.stopPinging();
    this.#spread = new Stagger(
      connections,
      (connection) => connection.closeForRestart(retryAfter),
      {
        ...clock,
        within,
      },
    );
    const { scheduler } = clock;
    this.#limit = scheduler.at(scheduler.now() + within + GRACE, () => this.#end());
    this.look();
  }

  /** Closes a connection that opened during the drain. */
  opened(connection: Drainable): void {
    connection.stopPinging();
    connection.closeForRestart(this.#retryAfter);
  }

  /** Checks whether any connection is left. */
  look(): void {
    if (this.#left.size === 0) this.cancel();
  }

  /** Stops closing connections, and resolves `done`. */
  cancel(): void {
    this.#spread.cancel();
    this.#limit.cancel();
    this.#resolve(this.#ended?.());
  }

  #end(): void {
    for (const connection of [...this.#left.values()]) connection.terminate();
    this.cancel();
  }
}
