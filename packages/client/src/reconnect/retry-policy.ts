import { BACKOFF_SCHEMA, Backoff, type Millis, type Timer } from '@wirebeat/core';
import type { CloseRecord } from './close-record.ts';
import { report } from './event-dispatcher.ts';
import type { ResolvedReconnectOptions } from './options.ts';

/** The longest delay that a server may ask for. */
const MAX_RETRY_AFTER: Millis = 600_000;

/** Whether this side ended the connection on purpose, so that the next one follows at once. */
function isPlanned({ reason }: CloseRecord): boolean {
  return reason === 'rotation' || reason === 'reconnect';
}

/** Whether the runtime reports that it is offline. The server may be reachable all the same. */
export function isOffline(): boolean {
  return (globalThis as { navigator?: { onLine?: boolean } }).navigator?.onLine === false;
}

/**
 * Decides whether and when to reconnect, from the backoff, the delay that the server asked for, and
 * the hints of the page. A hint, such as a page that becomes visible, ends the wait, unless the
 * server asked for it.
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

  /** Returns whether to make another attempt after this end. */
  isWorth(record: CloseRecord): boolean {
    const { maxAttempts, shouldReconnect } = this.#options;
    if (isPlanned(record)) return true;
    const isCounted = maxAttempts === 0 || !isOffline();
    if (isCounted && this.backoff.attempt >= maxAttempts) return false;
    try {
      return shouldReconnect(record);
    } catch (error) {
      report(error); // an error in the callback must not stop reconnecting
      return true;
    }
  }

  /** Starts to wait after this end. Returns the delay in ms. */
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
    if (isOffline()) return this.#options.backoff.maxDelay ?? BACKOFF_SCHEMA.maxDelay.default; // not counted
    return this.backoff.next();
  }
}
