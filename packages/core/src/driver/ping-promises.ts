import type { HeartbeatError } from '../errors.ts';
import { VERDICT_WAIT } from '../machine/deadlines.ts';
import { type AbortSignalLike, onAbort } from '../on-abort.ts';
import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

interface Waiter {
  readonly seq: number;
  resolve(now: Instant): void;
  reject(reason: unknown): void;
}

/** The promises of awaited pings. A pong, timeout, close or abort settles each. */
export class PingPromises {
  readonly #scheduler: Scheduler;
  readonly #waiters: Set<Waiter> = new Set();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /**
   * Waits for the pong of ping number `seq`. After `timeout` ms, rejects with what `expired`
   * returns.
   */
  wait(
    seq: number,
    timeout: Millis,
    signal: AbortSignalLike | undefined,
    expired: () => HeartbeatError,
  ): Promise<Millis> {
    const scheduler = this.#scheduler;
    const sentAt = scheduler.now();
    const due = sentAt + timeout;
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      let ignoreSignal: (() => void) | undefined;
      /** Ends the wait, so that nothing else can settle the promise. */
      const end = () => {
        timer?.cancel();
        ignoreSignal?.();
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        seq,
        resolve(now) {
          end();
          resolve(now - sentAt);
        },
        reject(reason) {
          end();
          reject(reason);
        },
      };
      const expire = () => waiter.reject(expired());
      const look = () => {
        const now = scheduler.now();
        // Then a pong may have arrived that the runtime reads after it has run this timer.
        timer = now < due ? scheduler.at(due, look) : scheduler.at(now + VERDICT_WAIT, expire);
      };
      const abort = () => waiter.reject(signal?.reason);
      this.#waiters.add(waiter);
      if (due < Number.POSITIVE_INFINITY) timer = scheduler.at(due, look);
      if (signal?.aborted) abort();
      else ignoreSignal = signal && onAbort(signal, abort);
    });
  }

  /** Resolves ping number `seq` and all pings before it, because a pong answered them. */
  settle(seq: number): void {
    const now = this.#scheduler.now();
    for (const waiter of this.#waiters) if (waiter.seq <= seq) waiter.resolve(now);
  }

  /** Whether a promise is pending. */
  get hasWaiters(): boolean {
    return this.#waiters.size > 0;
  }

  /** Rejects all promises, because no more pongs will come. */
  rejectAll(error: HeartbeatError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
