import { Backoff, DEFAULTS, type Millis, type Timer } from '@wirebeat/core';
import type { CloseRecord } from './close-record.ts';
import { report } from './event-dispatcher.ts';
import type { ResolvedReconnectOptions } from './options.ts';

/** The longest wait that a server may ask for. */
const MAX_RETRY_AFTER: Millis = 600_000;

/** The ends that we meant: the next connection follows at once. */
function isPlanned({ reason }: CloseRecord): boolean {
  return reason === 'rotation' || reason === 'reconnect';
}

/** Whether the runtime says so. It may be wrong: the server can be in reach all the same. */
export function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}

/**
 * The wait between two attempts, by the backoff, by what the server asked for, and by the hints of
 * the page: the user who comes back does not wait, unless the server said so.
 */
export class RetryPolicy {
  readonly backoff: Backoff;
  readonly #options: ResolvedReconnectOptions;
  readonly #dial: () => void;
  #timer: Timer | undefined;
  #unwatch: (() => void) | undefined;

  constructor(options: ResolvedReconnectOptions, dial: () => void) {
    this.backoff = new Backoff(options.backoff);
    this.#options = options;
    this.#dial = dial;
  }

  /** Whether there is to be another attempt after that end. */
  isWorth(record: CloseRecord): boolean {
    const { maxAttempts, shouldReconnect } = this.#options;
    if (isPlanned(record)) return true;
    const isCounted = maxAttempts === 0 || !isOffline();
    if (isCounted && this.backoff.attempt >= maxAttempts) return false;
    try {
      return shouldReconnect(record);
    } catch (error) {
      report(error); // a mistake there does not end the connection for good
      return true;
    }
  }

  /** Begins to wait after that end. Returns how long. */
  begin(record: CloseRecord): Millis {
    const { scheduler, lifecycle } = this.#options;
    const asked = Math.min(record.retryAfter ?? 0, MAX_RETRY_AFTER);
    const own = this.#next(record);
    const delay = Math.max(own, asked);
    this.#timer = scheduler.at(scheduler.now() + delay, () => this.end());
    if (lifecycle && own > 0 && own >= asked) {
      const hint = () => isOffline() || this.end();
      this.#unwatch = lifecycle.watch({ state() {}, hint });
    }
    return delay;
  }

  /** Ends the wait, and dials. */
  end(): void {
    this.cancel();
    this.#dial();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #next(record: CloseRecord): Millis {
    if (isPlanned(record)) return 0;
    if (isOffline()) return this.#options.backoff.maxDelay ?? DEFAULTS.maxDelay; // and not counted
    return this.backoff.next();
  }
}
