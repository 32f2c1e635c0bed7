import type { HeartbeatError } from '../errors.ts';
import { VERDICT_WAIT } from '../machine/deadlines.ts';
import { type AbortSignalLike, onAbort } from '../on-abort.ts';
import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

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

interface Waiter {
  readonly seq: number;
  readonly sentAt: Instant;
  readonly resolve: (latency: Millis) => void;
  readonly reject: (reason: unknown) => void;
  timer: Timer | undefined;
  release: (() => void) | undefined;
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
    const sentAt = this.#scheduler.now();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { seq, sentAt, resolve, reject, timer: undefined, release: undefined };
      this.#waiters.add(waiter);
      if (timeout !== Number.POSITIVE_INFINITY) this.#limit(waiter, timeout, expired);
      if (signal !== undefined) this.#obey(waiter, signal);
    });
  }

  /** Resolves ping number `seq` and all pings before it, because a pong answered them. */
  settle(seq: number): void {
    const now = this.#scheduler.now();
    for (const waiter of this.#waiters) {
      if (waiter.seq > seq) continue;
      this.#take(waiter);
      waiter.resolve(now - waiter.sentAt);
    }
  }

  /** Whether no promise is pending. */
  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Rejects all promises, because no more pongs will come. */
  rejectAll(error: HeartbeatError): void {
    for (const waiter of this.#waiters) {
      this.#take(waiter);
      waiter.reject(error);
    }
  }

  #limit(waiter: Waiter, timeout: Millis, expired: () => HeartbeatError): void {
    const due = waiter.sentAt + timeout;
    const expire = () => {
      this.#take(waiter);
      waiter.reject(expired());
    };
    const lookOnceMore = () => {
      const now = this.#scheduler.now();
      const early = now < due;
      // A pong may have arrived that the runtime reads after it has run this timer.
      waiter.timer = this.#scheduler.at(
        early ? due : now + VERDICT_WAIT,
        early ? lookOnceMore : expire,
      );
    };
    waiter.timer = this.#scheduler.at(due, lookOnceMore);
  }

  #obey(waiter: Waiter, signal: AbortSignalLike): void {
    const abort = () => {
      this.#take(waiter);
      waiter.reject(signal.reason);
    };
    if (signal.aborted) return abort();
    waiter.release = onAbort(signal, abort);
  }

  /** Removes a waiter with its timer and listener, so that nothing else can settle it. */
  #take(waiter: Waiter): void {
    waiter.timer?.cancel();
    waiter.release?.();
    this.#waiters.delete(waiter);
  }
}
