import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pageLifecycle } from '../../src/page/page-lifecycle.ts';
import { pageEvent, show } from '../page.ts';

describe('pageLifecycle', () => {
  let told: string[] = [];
  let end = (): void => {};
  const watch = () => {
    end = pageLifecycle.watch({
      state: (state) => told.push(state),
      hint: () => told.push('hint'),
    });
  };

  beforeEach(() => {
    show(true);
    told = [];
  });
  afterEach(() => {
    end();
    show(true);
    vi.unstubAllGlobals();
  });

  it('tells nothing at the start in a page that is seen', () => {
    watch();
    expect(told).toEqual([]);
  });

  it('tells at the start that the page is hidden', () => {
    show(false);
    watch();
    expect(told).toEqual(['hidden']);
  });

  it('tells when the page is hidden, which is no hint, and when it is seen, which is one', () => {
    watch();
    show(false);
    expect(told).toEqual(['hidden']);
    show(true);
    expect(told).toEqual(['hidden', 'visible', 'hint']);
  });

  it('tells each state once', () => {
    watch();
    show(false);
    show(false);
    document.dispatchEvent(new Event('freeze'));
    document.dispatchEvent(new Event('freeze'));
    expect(told).toEqual(['hidden', 'frozen']);
  });

  it.each(['online', 'offline', 'focus'])('takes %s of the window for a hint', (type) => {
    watch();
    window.dispatchEvent(new Event(type));
    expect(told).toEqual(['hint']);
  });

  it('takes nothing else for a hint', () => {
    watch();
    for (const type of ['blur', 'load', 'resize']) window.dispatchEvent(new Event(type));
    expect(told).toEqual([]);
  });

  // As Chromium does it for a page that is frozen in its tab.
  it('tells when the page is frozen, and what it is when it resumes', () => {
    watch();
    show(false);
    document.dispatchEvent(new Event('freeze'));
    expect(told).toEqual(['hidden', 'frozen']);
    document.dispatchEvent(new Event('resume'));
    expect(told).toEqual(['hidden', 'frozen', 'hidden', 'hint']);
    show(true);
    expect(told.slice(4)).toEqual(['visible', 'hint']);
  });

  // The events in Chromium's order.
  it('tells that a page is frozen in the back-forward cache, while it can still send', () => {
    watch();
    pageEvent('pagehide', true);
    expect(told).toEqual(['frozen']);
    show(false);
    document.dispatchEvent(new Event('freeze'));
    expect(told).toEqual(['frozen']);
    document.dispatchEvent(new Event('resume'));
    show(true);
    pageEvent('pageshow', true);
    expect(told).toEqual(['frozen', 'hidden', 'hint', 'visible', 'hint', 'hint']);
  });

  // Safari has no freeze and resume.
  it('tells so also where no freeze follows', () => {
    watch();
    pageEvent('pagehide', true);
    show(false);
    show(true);
    pageEvent('pageshow', true);
    expect(told).toEqual(['frozen', 'visible', 'hint', 'hint']);
  });

  it('takes neither a new page nor one that goes for good for anything', () => {
    watch();
    pageEvent('pageshow', false);
    pageEvent('pagehide', false);
    expect(told).toEqual([]);
  });

  it('takes whatever else happens for a sign that the page is not frozen', () => {
    watch();
    pageEvent('pagehide', true);
    window.dispatchEvent(new Event('focus'));
    expect(told).toEqual(['frozen', 'visible', 'hint']);
  });

  it('takes another network for a hint, but not another estimate of its speed', () => {
    const connection = Object.assign(new EventTarget(), { type: 'wifi' });
    vi.stubGlobal('navigator', { connection });
    watch();
    connection.dispatchEvent(new Event('change'));
    expect(told).toEqual([]);
    connection.type = 'cellular';
    connection.dispatchEvent(new Event('change'));
    connection.dispatchEvent(new Event('change'));
    expect(told).toEqual(['hint']);
    end();
    connection.type = 'wifi';
    connection.dispatchEvent(new Event('change'));
    expect(told).toEqual(['hint']);
  });

  it('tells nothing after its end', () => {
    watch();
    end();
    show(false);
    show(true);
    for (const type of ['freeze', 'resume']) document.dispatchEvent(new Event(type));
    for (const type of ['pagehide', 'pageshow']) pageEvent(type, true);
    for (const type of ['online', 'offline', 'focus']) window.dispatchEvent(new Event(type));
    expect(told).toEqual([]);
  });

  it('leaves no listener', () => {
    const listeners = new Set<string>();
    for (const target of [document, window]) {
      const nameOf = (type: unknown) => `${target === document ? 'document' : 'window'} ${type}`;
      for (const method of ['addEventListener', 'removeEventListener'] as const) {
        const original = target[method];
        vi.spyOn(target, method).mockImplementation((...args: unknown[]) => {
          listeners[method === 'addEventListener' ? 'add' : 'delete'](nameOf(args[0]));
          Reflect.apply(original, target, args);
        });
      }
    }
    watch();
    expect([...listeners].sort()).toEqual([
      'document freeze',
      'document resume',
      'document visibilitychange',
      'window focus',
      'window offline',
      'window online',
      'window pagehide',
      'window pageshow',
    ]);
    end();
    vi.restoreAllMocks();
    expect([...listeners]).toEqual([]);
    show(false);
    expect(told).toEqual([]);
  });
});
