import { BACKOFF_SCHEMA, Backoff, type BackoffOptions, type Millis } from '@wirebeat/core';
import type { CloseRecord } from '../close-record.ts';

/** What a {@link RetryPolicy} needs to know. No function may throw. */
export interface RetryOptions {
  readonly backoff: BackoffOptions;
  readonly maxAttempts: number;
  readonly shouldReconnect: (record: CloseRecord) => boolean;
  /** Whether the runtime reports that it is offline. The server may be reachable all the same. */
  readonly isOffline: () => boolean;
}

/** How long to wait for the next attempt. */
export interface RetryDelay {
  readonly delay: Millis;
  /** Whether a hint of the page may end the wait: not if the server asked for it. */
  readonly isHintable: boolean;
}

/** The longest delay that a server may ask for. */
const MAX_RETRY_AFTER: Millis = 600_000;

/**
 * Decides whether and when to reconnect, from the backoff and the delay that the server asked for.
 */
export class RetryPolicy {
  readonly #backoff: Backoff;
  readonly #options: RetryOptions;

  constructor(options: RetryOptions) {
    this.#backoff = new Backoff(options.backoff);
    this.#options = options;
  }

  /** The number of attempts in a row that failed or were lost soon after. */
  get attempt(): number {
    return this.#backoff.attempt;
  }

  reset(): void {
    this.#backoff.reset();
  }

  /** Returns whether to make another attempt after this end. */
  isWorth(record: CloseRecord): boolean {
    const { maxAttempts, shouldReconnect, isOffline } = this.#options;
    if (isPlanned(record)) return true;
    const isCounted = maxAttempts === 0 || !isOffline();
    if (isCounted && this.attempt >= maxAttempts) return false;
    return shouldReconnect(record);
  }

  /** Returns the delay after this end, and counts the attempt. */
  next(record: CloseRecord): RetryDelay {
    const asked = Math.min(record.retryAfter ?? 0, MAX_RETRY_AFTER);
    const own = this.#own(record);
    return { delay: Math.max(own, asked), isHintable: own > 0 && own >= asked };
  }

  #own(record: CloseRecord): Millis {
    const { backoff, isOffline } = this.#options;
    if (isPlanned(record)) return 0;
    if (isOffline()) return backoff.maxDelay ?? BACKOFF_SCHEMA.maxDelay.default; // not counted
    return this.#backoff.next();
  }
}

/** Whether this side ended the connection on purpose, so that the next one follows at once. */
function isPlanned({ reason }: CloseRecord): boolean {
  return reason === 'rotation' || reason === 'reconnect';
}
