import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pageLifecycle, watchClocks } from '../../src/page/page-lifecycle.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('pageLifecycle in a runtime without a page', () => {
  const listener = { state: vi.fn(), hint: vi.fn() };

  beforeEach(() => {
    vi.clearAllMocks();
  });

  it('does nothing, and its end does nothing either', () => {
    pageLifecycle.watch(listener)();
    expect(listener.state).not.toHaveBeenCalled();
    expect(listener.hint).not.toHaveBeenCalled();
  });

  it('takes the hints of a worker, which has no document', () => {
    const worker = new EventTarget();
    vi.stubGlobal('addEventListener', worker.addEventListener.bind(worker));
    vi.stubGlobal('removeEventListener', worker.removeEventListener.bind(worker));
    const end = pageLifecycle.watch(listener);
    worker.dispatchEvent(new Event('online'));
    expect(listener.hint).toHaveBeenCalledTimes(1);
    end();
    worker.dispatchEvent(new Event('online'));
    expect(listener.hint).toHaveBeenCalledTimes(1);
    expect(listener.state).not.toHaveBeenCalled();
  });
});

describe('watchClocks', () => {
  let wall = 0;
  let monotonic = 0;

  beforeEach(() => {
    wall = 1_700_000_000_000;
    monotonic = 12_345.6;
    vi.spyOn(Date, 'now').mockImplementation(() => wall);
    vi.spyOn(performance, 'now').mockImplementation(() => monotonic);
  });

  const pass = (time: number, slept = 0) => {
    wall += time + slept;
    monotonic += time;
  };

  it('says nothing while both clocks go alike, however long', () => {
    const hint = vi.fn();
    const look = watchClocks(hint);
    for (const time of [0, 10, 1_000, 3_600_000]) {
      pass(time);
      look();
    }
    expect(hint).not.toHaveBeenCalled();
  });

  it('hints once when the machine slept, at the next look', () => {
    const hint = vi.fn();
    const look = watchClocks(hint);
    pass(5_000, 1_001);
    expect(hint).not.toHaveBeenCalled();
    look();
    look();
    expect(hint).toHaveBeenCalledTimes(1);
    pass(1, 12 * 3_600_000);
    look();
    expect(hint).toHaveBeenCalledTimes(2);
  });

  it('says nothing of a clock that is set right by a second or less, or set back', () => {
    const hint = vi.fn();
    const look = watchClocks(hint);
    for (const slept of [1_000, 1_000, -3_600_000, 500]) {
      pass(25_000, slept);
      look();
    }
    expect(hint).not.toHaveBeenCalled();
  });

  it('sets no timer', () => {
    const setTimeout = vi.spyOn(globalThis, 'setTimeout');
    const setInterval = vi.spyOn(globalThis, 'setInterval');
    watchClocks(() => {})();
    expect(setTimeout).not.toHaveBeenCalled();
    expect(setInterval).not.toHaveBeenCalled();
  });
});
