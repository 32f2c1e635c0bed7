import { afterEach, describe, expect, it, vi } from 'vitest';
import { watchPage } from '../src/page-lifecycle.ts';

afterEach(() => vi.unstubAllGlobals());

describe('watchPage in a runtime without a page', () => {
  const listener = { visibility: vi.fn(), hint: vi.fn() };

  it('does nothing, and its end does nothing either', () => {
    watchPage(listener)();
    expect(listener.visibility).not.toHaveBeenCalled();
    expect(listener.hint).not.toHaveBeenCalled();
  });

  it('takes the hints of a worker, which has no document', () => {
    const worker = new EventTarget();
    vi.stubGlobal('addEventListener', worker.addEventListener.bind(worker));
    vi.stubGlobal('removeEventListener', worker.removeEventListener.bind(worker));
    const end = watchPage(listener);
    worker.dispatchEvent(new Event('online'));
    expect(listener.hint).toHaveBeenCalledTimes(1);
    end();
    worker.dispatchEvent(new Event('online'));
    expect(listener.hint).toHaveBeenCalledTimes(1);
    expect(listener.visibility).not.toHaveBeenCalled();
  });
});
