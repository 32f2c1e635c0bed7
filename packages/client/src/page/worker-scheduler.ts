import {
  checkNames,
  type Instant,
  LazyTimer,
  MAX_DELAY,
  type Scheduler,
  SystemScheduler,
  type Timer,
} from '@wirebeat/core';
import { IS_DEVELOPMENT } from '../development.ts';
import type { DomUrl } from '../websocket-api/dom-types.ts';

/** Options of {@link WorkerScheduler}. */
export interface WorkerSchedulerOptions {
  /**
   * The URL of the worker script, for pages with a Content-Security-Policy that forbids `blob:`.
   * For the content of the file, see `docs/topics/page-lifecycle.md`.
   * @default a built-in script, as a blob
   */
  readonly url?: string | DomUrl;
}

/**
 * The worker has one timer, and each message sets it again. Its first message reports that it runs.
 */
const SCRIPT = `const wake = () => postMessage(0);
let timer = setTimeout(wake);
onmessage = ({ data }) => {
  clearTimeout(timer);
  timer = setTimeout(wake, data);
};
`;

interface Waiting extends Timer {
  readonly due: Instant;
  readonly callback: () => void;
}

/**
 * A {@link Scheduler} with timers in a worker, because browsers throttle the timers of a hidden
 * page but not those of its workers.
 *
 * The worker starts when the first timer is set. The timers of the runtime are used until it runs,
 * and if it cannot run (no `Worker`, a policy that forbids it, or a missing script). No timer is
 * lost.
 *
 * @throws {InvalidOptionError} if an option is unknown.
 */
export class WorkerScheduler implements Scheduler {
  readonly #url: string | DomUrl | undefined;
  readonly #system: SystemScheduler = new SystemScheduler();
  readonly #waiting: Set<Waiting> = new Set();
  #state: 'unused' | 'starting' | 'running' | 'closed' = 'unused';
  #worker: Worker | undefined;
  #blob: string | undefined;
  #alarm: LazyTimer = this.#alarmOf(this.#system);
  #wake: (() => void) | undefined;

  constructor(options: WorkerSchedulerOptions = {}) {
    if (IS_DEVELOPMENT) checkNames('options', options, ['url']);
    this.#url = options.url;
  }

  now(): Instant {
    return this.#system.now();
  }

  at(due: Instant, callback: () => void): Timer {
    if (this.#state === 'unused') this.#start();
    const timer: Waiting = { due, callback, cancel: () => this.#waiting.delete(timer) };
    this.#waiting.add(timer);
    this.#alarm.set(due);
    return timer;
  }

  /** Whether the worker runs, so that timers are on time in a hidden page. */
  get usesWorker(): boolean {
    return this.#state === 'running';
  }

  /** Ends the worker. Waiting timers continue with the timers of the runtime, unless cancelled. */
  close(): void {
    this.#state = 'closed';
    this.#worker?.terminate();
    this.#worker = this.#wake = undefined;
    this.#revoke();
    this.#use(this.#system);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    this.#state = 'starting';
    try {
      this.#worker = new Worker(this.#url ?? this.#makeBlob());
    } catch {
      return this.close(); // no such class, a policy, or another origin
    }
    this.#worker.onmessage = () => {
      if (this.#state === 'running') return this.#wake?.();
      this.#state = 'running';
      this.#revoke();
      this.#use({ now: () => this.now(), at: (due, wake) => this.#ask(due, wake) });
    };
    this.#worker.onerror = () => this.close(); // blocked, not found, or no such script
  }

  /** Sets the timer of the worker. One is enough, because {@link LazyTimer} uses only one. */
  #ask(due: Instant, wake: () => void): Timer {
    this.#wake = wake;
    this.#worker?.postMessage(Math.min(MAX_DELAY, Math.max(0, Math.ceil(due - this.now()))));
    return {
      cancel: () => {
        this.#wake = undefined; // the worker still posts one message, which does nothing
      },
    };
  }

  #use(timers: Scheduler): void {
    this.#alarm.cancel();
    this.#alarm = this.#alarmOf(timers);
    this.#setAlarm();
  }

  #alarmOf(timers: Scheduler): LazyTimer {
    return new LazyTimer(timers, () => this.#ring());
  }

  #setAlarm(): void {
    this.#alarm.set(Math.min(...[...this.#waiting].map(({ due }) => due))); // Infinity without any
  }

  #ring(): void {
    const now = this.now();
    const due = [...this.#waiting].filter((timer) => timer.due <= now);
    try {
      for (const timer of due.sort((a, b) => a.due - b.due)) {
        if (this.#waiting.delete(timer)) timer.callback(); // else an earlier callback cancelled it
      }
    } finally {
      this.#setAlarm(); // if a callback has thrown, the others are due at once
    }
  }

  #makeBlob(): string {
    this.#blob = URL.createObjectURL(new Blob([SCRIPT], { type: 'text/javascript' }));
    return this.#blob;
  }

  #revoke(): void {
    if (this.#blob !== undefined) URL.revokeObjectURL(this.#blob);
    this.#blob = undefined;
  }
}
