import { afterEach, expect, it, vi } from 'vitest';
import { watchPageCache } from '../../src/shared/page-cache.ts';

afterEach(() => vi.unstubAllGlobals());

it('leaves and enters with the back-forward cache, and at no other time', () => {
  const page = new EventTarget();
  const calls: string[] = [];
  for (const name of ['addEventListener', 'removeEventListener'] as const) {
    vi.stubGlobal(name, page[name].bind(page));
  }
  const stop = watchPageCache(
    () => calls.push('leave'),
    () => calls.push('enter'),
  );
  const dispatch = (type: string, persisted: boolean) =>
    page.dispatchEvent(Object.assign(new Event(type), { persisted }));
  dispatch('pageshow', false);
  dispatch('pagehide', true);
  dispatch('pageshow', true);
  dispatch('pagehide', false);
  stop();
  dispatch('pagehide', true);
  expect(calls).toEqual(['leave', 'enter']);
});
