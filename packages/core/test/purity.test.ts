// Law 13 of the design: importing does nothing. No timer, listener, random number or global read.
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** Each entry of each package that runs in a program of its user. */
const ENTRIES: Record<string, () => Promise<object>> = {
  '@wirebeat/core': () => import('../src/index.ts'),
  '@wirebeat/core/dialects': () => import('../src/protocol/dialects/index.ts'),
  '@wirebeat/core/testing': () => import('../src/testing/index.ts'),
  '@wirebeat/client': () => import('../../client/src/index.ts'),
  '@wirebeat/client/report': () => import('../../client/src/report/index.ts'),
  '@wirebeat/client/status': () => import('../../client/src/status/index.ts'),
  '@wirebeat/client/status-element': () => import('../../client/src/status-element/index.ts'),
  '@wirebeat/client/react-status': () => import('../../client/src/react-status.ts'),
  '@wirebeat/client/shared': () => import('../../client/src/shared/index.ts'),
  '@wirebeat/client/react': () => import('../../client/src/react.ts'),
  '@wirebeat/server': () => import('../../server/src/index.ts'),
  '@wirebeat/server/bun': () => import('../../server/src/adapters/bun.ts'),
  '@wirebeat/server/deno': () => import('../../server/src/adapters/deno.ts'),
  '@wirebeat/server/crossws': () => import('../../server/src/adapters/crossws.ts'),
  '@wirebeat/server/cloudflare': () => import('../../server/src/adapters/cloudflare.ts'),
  '@wirebeat/server/runtime': () => import('../../server/src/runtime/index.ts'),
  '@wirebeat/server/gateway': () => import('../../server/src/gateway/index.ts'),
  '@wirebeat/server/prometheus': () => import('../../server/src/metrics/prometheus.ts'),
  '@wirebeat/server/redis': () => import('../../server/src/redis/index.ts'),
  '@wirebeat/server/opentelemetry': () => import('../../server/src/metrics/opentelemetry.ts'),
};

const FUNCTIONS = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'requestAnimationFrame',
  'addEventListener',
  'removeEventListener',
  'fetch',
] as const;
const PAGE = ['document', 'window', 'navigator', 'location', 'localStorage', 'Worker'] as const;

const done: string[] = [];
const restorers: (() => void)[] = [];

/**
 * Whether a source of ours, or a package that it imports, is among the callers; not in a late event
 * of a socket that another test in this process has left to close.
 */
function isOurs(): boolean {
  Error.stackTraceLimit = 50;
  const stack = new Error('where').stack ?? '';
  if (/node:(events|net|_?http|internal\/(timers|streams|stream_base))/.test(stack)) return false;
  if (/node_modules\/prom-client\//.test(stack)) return false; // its users have it anyway
  return /packages\/(core|client|server)\/src\/|eventemitter3|isomorphic-ws/.test(stack);
}

function note(what: string): void {
  if (isOurs()) done.push(what);
}

function watchCall(owner: object, name: string, label: string): void {
  const original = Reflect.get(owner, name) as ((...args: unknown[]) => unknown) | undefined;
  replace(owner, name, {
    writable: true,
    value: function (this: unknown, ...args: unknown[]) {
      note(label);
      return original?.apply(this, args);
    },
  });
}

function watchRead(owner: object, name: string, label: string): void {
  const value = Reflect.get(owner, name) as unknown;
  replace(owner, name, {
    get: () => {
      note(label);
      return value;
    },
  });
}

function replace(owner: object, name: string, descriptor: PropertyDescriptor): void {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { configurable: true, ...descriptor });
  restorers.push(() => {
    if (before === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, before);
  });
}

beforeEach(() => {
  done.length = 0;
  vi.resetModules();
  for (const name of FUNCTIONS) watchCall(globalThis, name, name);
  for (const name of PAGE) watchRead(globalThis, name, name);
  watchCall(Math, 'random', 'Math.random');
  watchCall(Date, 'now', 'Date.now');
  watchCall(performance, 'now', 'performance.now');
  watchCall(crypto, 'getRandomValues', 'crypto.getRandomValues');
  watchCall(process, 'on', 'process.on');
  watchCall(EventTarget.prototype, 'addEventListener', 'EventTarget.addEventListener');
});

afterEach(() => {
  for (const restore of restorers.splice(0).reverse()) restore();
});

describe('importing does nothing', () => {
  for (const [entry, load] of Object.entries(ENTRIES)) {
    it(entry, async () => {
      const globals = Reflect.ownKeys(globalThis);
      const exported = await load();
      expect(done).toEqual([]);
      expect(Reflect.ownKeys(globalThis)).toEqual(globals);
      expect(Object.keys(exported)).not.toEqual([]);
    });
  }

  it('is tested of every entry that the packages export', () => {
    const exported = ['core', 'client', 'server'].flatMap((name) => {
      const manifest = new URL(`../../${name}/package.json`, import.meta.url);
      const { exports } = JSON.parse(readFileSync(manifest, 'utf8')) as { exports: object };
      const entries = Object.keys(exports).filter((path) => !path.endsWith('.json'));
      return entries.map((path) => `@wirebeat/${name}${path.slice(1)}`);
    });
    expect(Object.keys(ENTRIES)).toEqual(exported);
  });

  it('would be seen to do something: the same modules, at work', async () => {
    const { SystemScheduler } = await import('../src/index.ts');
    const scheduler = new SystemScheduler();
    scheduler.at(scheduler.now(), () => {}).cancel();
    const { attachHeartbeat } = await import('../../client/src/index.ts');
    const { FakeSocket, VirtualScheduler } = await import('../src/testing/index.ts');
    const virtual = { scheduler: new VirtualScheduler() };
    const heartbeat = attachHeartbeat(new FakeSocket(virtual.scheduler), virtual);
    heartbeat.detach();
    expect(done).toContain('setTimeout');
    expect(done).toContain('performance.now');
    expect(done).toContain('document');
    expect(done).toContain('addEventListener');
  });
});
