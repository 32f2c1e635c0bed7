import { checkNames, duration, type Millis, numberWithin, type Timer } from '@wirebeat/core';
import { Stagger, type StaggerOptions } from './timing/stagger.ts';

/** Options of `drain`. */
export interface DrainOptions {
  /** The time over which connections are closed. @default 10_000 */
  readonly within?: Millis;
  /**
   * What clients are asked to wait until they come back, up to 600 000: after a restart, say. Those
   * that reconnect at once, as to another server, are spread as their closes are.
   * @default 0
   */
  readonly retryAfter?: Millis;
}

const WITHIN: Millis = 10_000; // as long as process managers commonly wait before they kill
const MAX_RETRY_AFTER: Millis = 600_000; // clients wait no longer, whatever they are told
/** How long the last closing handshakes may take: who does not answer is terminated. */
const GRACE: Millis = 1_000;

/** What a {@link Drain} needs of a connection. */
export interface Drainable {
  /** It is not judged any more. */
  rest(): void;
  /** It is closed, with a hint when to come back. */
  dismiss(retryAfter: Millis): void;
  /** It did not close in time. */
  terminate(): void;
}

/** {@link DrainOptions}, whole. */
export type ResolvedDrainOptions = Required<DrainOptions>;

/** @throws {InvalidOptionError} if an option is out of its range or unknown. */
export function resolveDrainOptions(options: DrainOptions = {}): ResolvedDrainOptions {
  checkNames('options', options, ['within', 'retryAfter']);
  return {
    within: duration('within', options.within, WITHIN),
    retryAfter: numberWithin('retryAfter', options.retryAfter, 0, 0, MAX_RETRY_AFTER),
  };
}

/**
 * Closes all connections of a server, spread over a time: so they come back spread. Those that come
 * meanwhile are closed at once.
 */
export class Drain {
  /** Resolves once there is none left, or when the time is over. */
  readonly done: Promise<void>;
  readonly #left: ReadonlyMap<unknown, Drainable>;
  readonly #retryAfter: Millis;
  readonly #spread: Stagger<Drainable>;
  readonly #limit: Timer;
  #resolve: () => void = () => {};

  /** Begins. `left` is looked at as connections end. */
  constructor(
    left: ReadonlyMap<unknown, Drainable>,
    { within, retryAfter }: ResolvedDrainOptions,
    clock: Omit<StaggerOptions, 'within'>,
  ) {
    this.#left = left;
    this.#retryAfter = retryAfter;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const connections = [...left.values()];
    for (const connection of connections) connection.rest();
    this.#spread = new Stagger(connections, (connection) => connection.dismiss(retryAfter), {
      ...clock,
      within,
    });
    const { scheduler } = clock;
    this.#limit = scheduler.at(scheduler.now() + within + GRACE, () => this.#end());
    this.look();
  }

  /** A connection has come. */
  opened(connection: Drainable): void {
    connection.rest();
    connection.dismiss(this.#retryAfter);
  }

  /** A connection may have ended. */
  look(): void {
    if (this.#left.size === 0) this.cancel();
  }

  /** Leaves off, and resolves. */
  cancel(): void {
    this.#spread.cancel();
    this.#limit.cancel();
    this.#resolve();
  }

  #end(): void {
    for (const connection of [...this.#left.values()]) connection.terminate();
    this.cancel();
  }
}
