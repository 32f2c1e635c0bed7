import {
  type Instant,
  LazyTimer,
  MAX_DELAY,
  type Scheduler,
  SystemScheduler,
  type Timer,
} from '@wirebeat/core';
import type { DomUrl } from '../websocket-api/dom-types.ts';

/** Options of {@link WorkerScheduler}. */
export interface WorkerSchedulerOptions {
  /**
   * Where the worker's script is served, for pages whose Content-Security-Policy allows no `blob:`.
   * What stands in that file: `docs/topics/page-lifecycle.md`. @default a script of its own, as a blob
   */
  readonly url?: string | DomUrl;
}

/** All that the worker does: one timer, set anew by each message. The first says that it runs. */
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
 * A {@link Scheduler} whose timers run in a worker: browsers slow down those of a hidden page, not
 * those of its workers.
 *
 * The worker is made when the first timer is set. Until it runs, and where it cannot (no `Worker`, a
 * policy that forbids it, a script that is not there), the runtime's own timers serve: none is lost.
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

  constructor({ url }: WorkerSchedulerOptions = {}) {
    this.#url = url;
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

  /** Whether the worker runs, and so keeps time in a hidden page. */
  get usesWorker(): boolean {
    return this.#state === 'running';
  }

  /** Ends the worker. What waits still runs, by the runtime's own timers: whoever set it cancels it. */
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

  /** The worker has one timer only: {@link LazyTimer} asks for no second. */
  #ask(due: Instant, wake: () => void): Timer {
    this.#wake = wake;
    this.#worker?.postMessage(Math.min(MAX_DELAY, Math.max(0, Math.ceil(due - this.now()))));
    return {
      cancel: () => {
        this.#wake = undefined; // it wakes us for nothing, once
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
        if (this.#waiting.delete(timer)) timer.callback(); // else cancelled by one before it
      }
    } finally {
      this.#setAlarm(); // also where one has thrown: the rest is due at once
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
