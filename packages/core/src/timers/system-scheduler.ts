import { IS_PAGE } from '../development.ts';
import { type Instant, MAX_DELAY, type Scheduler, type Timer } from '../time.ts';

interface Runtime {
  readonly performance?: { now(): number };
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** The clock and timers of the runtime, looked up at each call so that fake timers work. */
const runtime = globalThis as unknown as Runtime;

class SystemTimer implements Timer {
  #handle: unknown;

  constructor(handle: unknown) {
    this.#handle = handle;
  }

  cancel(): void {
    // If the timer was unrefed, Node would keep its list of timers until the time has come.
    (this.#handle as { ref?(): void } | undefined)?.ref?.();
    runtime.clearTimeout(this.#handle);
    this.#handle = undefined; // a cleared Node timer would keep its callback alive
  }
}

/**
 * A {@link Scheduler} with `performance.now()` and `setTimeout`. If the runtime has no
 * `performance`, it uses the wall clock; setting the clock then changes when timers are due.
 */
export class SystemScheduler implements Scheduler {
  readonly #unref: boolean;

  /** With `unref`, a waiting timer does not keep a Node, Deno or Bun process running. */
  constructor({ unref = false }: { readonly unref?: boolean } = {}) {
    this.#unref = unref;
  }

  now(): Instant {
    return (runtime.performance ?? Date).now();
  }

  at(due: Instant, callback: () => void): Timer {
    // Past MAX_DELAY a timer would fire at once; this one fires early, as `at` may.
    const delay = Math.min(MAX_DELAY, Math.max(0, Math.ceil(due - this.now())));
    const handle = runtime.setTimeout(callback, delay);
    if (IS_PAGE) return { cancel: () => runtime.clearTimeout(handle) }; // the handle is a number
    if (this.#unref) (handle as { unref?(): void }).unref?.();
    return new SystemTimer(handle);
  }
}
