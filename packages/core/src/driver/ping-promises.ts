import type { HeartbeatError } from '../errors.ts';
import { VERDICT_WAIT } from '../machine/heartbeat.ts';
import { type AbortSignalLike, onAbort } from '../on-abort.ts';
import type { Instant, Millis, Scheduler, Timer } from '../time.ts';

/** What a single `ping()` may be told. */
export interface PingOptions {
  /**
   * Stands in the ping, and in its pong: 1 to 16 letters, digits, `_` or `-`, and not the id of a ping
   * that is out. A peer that answers only the bare ping does not answer it.
   * @default none, or a fresh one where the ping needs it
   */
  readonly id?: string;
  /** Wait until it is rejected. `false`: for ever. @default the connection's `pingTimeout` */
  readonly timeout?: Millis | false;
  /** Aborting it rejects the promise with the signal's reason. The ping itself stays sent. */
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

/** The promises of pings that somebody waits for. Each settles: by its pong, time, close or abort. */
export class PingPromises {
  readonly #scheduler: Scheduler;
  readonly #waiters: Set<Waiter> = new Set();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Waits for the pong of the ping numbered `seq`, and rejects with what `expired` makes. */
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

  /** A pong came: it answers the ping numbered `seq` and all before it. */
  settle(seq: number): void {
    const now = this.#scheduler.now();
    for (const waiter of this.#waiters) {
      if (waiter.seq > seq) continue;
      this.#take(waiter);
      waiter.resolve(now - waiter.sentAt);
    }
  }

  /** No pong will come any more. */
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
      // A pong may be queued behind this very timer.
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

  /** Leaves neither timer nor listener behind: whoever settles a waiter first is the only one. */
  #take(waiter: Waiter): void {
    waiter.timer?.cancel();
    waiter.release?.();
    this.#waiters.delete(waiter);
  }
}
