import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { onAbort } from '../src/on-abort.ts';

describe('onAbort', () => {
  it('adds one listener to a signal for all that wait for it, and calls each of them', () => {
    const { signal, ...controller } = abortable();
    const called: number[] = [];
    for (let n = 0; n < 20; n++) onAbort(signal, () => called.push(n));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    controller.abort();
    expect(called).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('calls no listener that was removed, and stops listening when none is left', () => {
    const { signal, abort } = abortable();
    const called: string[] = [];
    const ends = ['a', 'b'].map((name) => onAbort(signal, () => called.push(name)));
    ends[0]?.();
    ends[0]?.(); // a second time does nothing
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    abort();
    expect(called).toEqual(['b']);
    ends[1]?.();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('takes the same function twice, and a signal that was left before', () => {
    expectTwoCallsOfThree(onAbort);
  });

  it('leaves off one that another takes away while both are called', () => {
    const { signal, abort } = abortable();
    const called: string[] = [];
    onAbort(signal, () => endOther());
    const endOther = onAbort(signal, () => called.push('other'));
    abort();
    expect(called).toEqual([]);
  });
});

it('calls and removes each in a bundle for pages too', async () => {
  vi.resetModules();
  vi.doMock('../src/development.ts', () => ({ IS_PAGE: true }));
  const { onAbort } = await import('../src/on-abort.ts');
  vi.doUnmock('../src/development.ts');
  vi.resetModules(); // other tests share the modules
  expectTwoCallsOfThree(onAbort);
});

/** Adds a function three times, and removes the first one again. */
function expectTwoCallsOfThree(add: typeof onAbort): void {
  const { signal, abort } = abortable();
  let calls = 0;
  const count = () => {
    calls += 1;
  };
  add(signal, count)();
  add(signal, count);
  add(signal, count);
  abort();
  expect(calls).toBe(2);
}

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
