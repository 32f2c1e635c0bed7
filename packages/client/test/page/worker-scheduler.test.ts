import { readFileSync } from 'node:fs';
import { MAX_DELAY, VERDICT_WAIT } from '@wirebeat/core';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { schedulerContract } from '../../../core/test/scheduler-contract.ts';
import { attachHeartbeat } from '../../src/attach.ts';
import { WorkerScheduler, type WorkerSchedulerOptions } from '../../src/page/worker-scheduler.ts';
import { FakeServer } from '../fake-server.ts';

/** The scripts that can be loaded, by their address. */
const served: Map<string, string> = new Map();
const workers: FakeWorker[] = [];
/** What becomes of a new worker. `hangs`: its script never loads, and nobody is told. */
let fate: 'runs' | 'is blocked' | 'hangs' | 'is refused' = 'runs';

/** Runs its script beside the page, in fake time: what is posted arrives a turn later. */
class FakeWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  readonly url: string;
  isTerminated = false;
  readonly #timers: Set<unknown> = new Set();
  readonly #inside = {
    onmessage: null as ((event: { data: unknown }) => void) | null,
    postMessage: (data: unknown): unknown => this.#later(() => this.onmessage?.({ data })),
    setTimeout: (callback: () => void, delay: number): unknown => this.#later(callback, delay),
    clearTimeout: (timer: unknown): void => this.#clear(timer),
  };

  constructor(url: string | URL) {
    this.url = String(url);
    workers.push(this);
    if (fate === 'is refused') throw new DOMException('not allowed', 'SecurityError');
    if (fate === 'hangs') return;
    const script = fate === 'is blocked' ? undefined : served.get(this.url);
    this.#later(() => {
      if (script === undefined) this.onerror?.({});
      else new Function('scope', `with (scope) {${script}}`)(this.#inside);
    });
  }

  postMessage(data: unknown): void {
    this.#later(() => this.#inside.onmessage?.({ data }));
  }

  terminate(): void {
    this.isTerminated = true;
    for (const timer of this.#timers) clearTimeout(timer as NodeJS.Timeout);
  }

  /** It fails by itself, long after it began. */
  fail(): void {
    this.onerror?.({});
  }

  #later(callback: () => void, delay = 0): unknown {
    if (this.isTerminated) return undefined;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delay);
    this.#timers.add(timer);
    return timer;
  }

  #clear(timer: unknown): void {
    clearTimeout(timer as NodeJS.Timeout);
    this.#timers.delete(timer);
  }
}

class FakeBlob {
  readonly text: string;

  constructor(parts: string[], { type }: { type: string }) {
    expect(type).toBe('text/javascript');
    this.text = parts.join('');
  }
}

let blobs = 0;
/** To the worker and back: fake timers take 1 ms for each. */
const MESSAGES = 2;

beforeEach(() => {
  fate = 'runs';
  blobs = 0;
  served.clear();
  workers.length = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('Blob', FakeBlob);
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    blobs += 1;
    const url = `blob:${blobs}`;
    served.set(url, (blob as unknown as FakeBlob).text);
    return url;
  });
  vi.spyOn(URL, 'revokeObjectURL').mockImplementation((url) => {
    served.delete(url);
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** One in use, with a first timer behind it: by then its worker runs, or has failed. */
function start(options?: WorkerSchedulerOptions): WorkerScheduler {
  const scheduler = new WorkerScheduler(options);
  scheduler.at(scheduler.now(), () => {});
  vi.advanceTimersByTime(5);
  return scheduler;
}

const advance = (by: number) => void vi.advanceTimersByTime(by);

describe('WorkerScheduler', () => {
  describe('whose worker runs', () => {
    schedulerContract(() => {
      const scheduler = start();
      expect(scheduler.usesWorker).toBe(true);
      return { scheduler, advance };
    });
  });

  describe.each(['is blocked', 'is refused', 'hangs'] as const)('whose worker %s', (what) => {
    schedulerContract(() => {
      fate = what;
      const scheduler = start();
      expect(scheduler.usesWorker).toBe(false);
      return { scheduler, advance };
    });
  });

  describe('in a runtime without workers', () => {
    schedulerContract(() => {
      vi.stubGlobal('Worker', undefined);
      const scheduler = start();
      expect(scheduler.usesWorker).toBe(false);
      return { scheduler, advance };
    });
  });

  describe('that is closed', () => {
    schedulerContract(() => {
      const scheduler = start();
      scheduler.close();
      return { scheduler, advance };
    });
  });

  it('makes no worker and no blob before its first timer', () => {
    const scheduler = new WorkerScheduler();
    scheduler.now();
    scheduler.close();
    scheduler.at(scheduler.now(), () => {});
    expect([workers.length, blobs]).toEqual([0, 0]);
  });

  it('makes one worker, however many timers', () => {
    const scheduler = start();
    for (let delay = 0; delay < 100; delay += 1) scheduler.at(scheduler.now() + delay, () => {});
    advance(1_000);
    expect([workers.length, blobs]).toEqual([1, 1]);
  });

  it('makes its worker from the address given, and no blob', () => {
    const url = new URL('https://app.test/timer-worker.js');
    const scheduler = new WorkerScheduler();
    scheduler.at(0, () => {});
    served.set(url.href, [...served.values()][0] ?? '');
    expect(start({ url }).usesWorker).toBe(true);
    expect(workers[1]?.url).toBe(url.href);
    expect(blobs).toBe(1); // of the other one
  });

  it('runs in its worker what the docs tell to serve', () => {
    const docs = new URL('../../../../docs/topics/page-lifecycle.md', import.meta.url);
    const [, code] = /```js worker\n([\s\S]*?)```/.exec(readFileSync(docs, 'utf8')) ?? [];
    new WorkerScheduler().at(0, () => {});
    expect([...served.values()]).toEqual([code?.replaceAll(/ \/\/.*/g, '')]);
  });

  it('makes no blob where the script at the address given is not there', () => {
    expect(start({ url: '/missing.js' }).usesWorker).toBe(false);
    expect([workers.length, blobs]).toEqual([1, 0]);
  });

  it('gives the blob back, also where the worker does not run', () => {
    start();
    expect(served.size).toBe(0);
    for (const what of ['is blocked', 'is refused'] as const) {
      fate = what;
      start();
    }
    expect(blobs).toBe(3);
    expect(served.size).toBe(0);
  });

  it('leaves no timer to the page once the worker runs', () => {
    const scheduler = start();
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    const ran = vi.fn();
    scheduler.at(scheduler.now() + 100, ran);
    advance(200);
    expect(ran).toHaveBeenCalledTimes(1);
    const delays = setTimeout.mock.calls.map(([, delay]) => delay);
    expect(delays).toEqual([0, 100, 0]); // to the worker, in it, and back
  });

  it.each([
    ['the worker takes over', 'runs', () => {}],
    ['the worker is blocked', 'is blocked', () => {}],
    ['the worker fails', 'runs', () => workers[0]?.fail()],
  ] as const)('runs each timer once and in time where %s meanwhile', (_, what, happen) => {
    fate = what;
    const scheduler = new WorkerScheduler();
    const ran: [due: number, at: number][] = [];
    const origin = scheduler.now();
    const after = (delay: number) =>
      scheduler.at(origin + delay, () => ran.push([delay, scheduler.now() - origin]));
    for (const delay of [300, 100, 200]) after(delay);
    advance(150);
    after(250);
    happen();
    advance(1_000);
    expect(ran.map(([due]) => due)).toEqual([100, 200, 250, 300]);
    for (const [due, at] of ran) {
      expect(at).toBeGreaterThanOrEqual(due);
      expect(at).toBeLessThanOrEqual(due + MESSAGES);
    }
  });

  it('runs what is overdue in the order in which it was due, and nothing else with it', () => {
    const scheduler = start();
    const origin = scheduler.now();
    const ran: [due: number, at: number][] = [];
    for (const delay of [-5, 20, -10, 24]) {
      scheduler.at(origin + delay, () => ran.push([delay, scheduler.now() - origin]));
    }
    advance(100);
    expect(ran.map(([due]) => due)).toEqual([-10, -5, 20, 24]);
    for (const [due, at] of ran) expect(at).toBeGreaterThanOrEqual(due);
  });

  it.each([
    [10.2, 11],
    [-10, 0],
    [MAX_DELAY + 10, MAX_DELAY],
  ])('waits in its worker for what is due in %d ms by a timer of %d ms', (due, delay) => {
    const scheduler = start();
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    scheduler.at(scheduler.now() + due, () => {});
    vi.advanceTimersToNextTimer(); // the message to the worker
    expect(setTimeout.mock.calls.map(([, each]) => each)).toEqual([0, delay]);
    scheduler.close();
  });

  it('runs the others on time after a callback that throws', () => {
    const scheduler = start();
    const origin = scheduler.now();
    const ran: number[] = [];
    scheduler.at(origin + 10, () => {
      throw new Error('of the application');
    });
    for (const delay of [10, 20]) scheduler.at(origin + delay, () => ran.push(delay));
    expect(() => advance(10 + MESSAGES)).toThrow('of the application');
    advance(100);
    expect(ran).toEqual([10, 20]);
  });

  it('ends its worker when it is closed, and what waits still runs', () => {
    using scheduler = start();
    const ran = vi.fn();
    scheduler.at(scheduler.now() + 100, ran);
    scheduler.close();
    scheduler.close();
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true]);
    expect(vi.getTimerCount()).toBe(1);
    advance(99);
    expect(ran).not.toHaveBeenCalled();
    advance(1);
    expect(ran).toHaveBeenCalledTimes(1);
    scheduler.at(scheduler.now() + 10, ran);
    advance(10);
    expect(ran).toHaveBeenCalledTimes(2);
    expect([workers.length, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it('leaves nothing behind after using', () => {
    {
      using scheduler = start();
      scheduler.at(scheduler.now() + 100, () => {}).cancel();
    }
    expect(workers[0]?.isTerminated).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wakes for nothing at most once after a cancel', () => {
    const scheduler = start();
    scheduler.at(scheduler.now() + 100, () => {}).cancel();
    advance(100 + MESSAGES);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('times a heartbeat', () => {
    const link = new FakeServer(new VirtualScheduler()).connect();
    const scheduler = start();
    const told = vi.fn();
    const timing = { jitter: 0, pingInterval: 2_000, pingTimeout: 1_000 };
    link.wire.readyState = 1; // open, and nobody hears it
    const heartbeat = attachHeartbeat(link.client, { ...timing, scheduler });
    heartbeat.on('unanswered', told);
    advance(1_000 + VERDICT_WAIT + 10);
    expect(told).toHaveBeenCalledTimes(1);
    heartbeat.detach();
    scheduler.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
