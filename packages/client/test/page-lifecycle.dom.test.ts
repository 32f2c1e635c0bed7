import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchPage } from '../src/page-lifecycle.ts';
import { show } from './page.ts';

const HINTS = ['online', 'offline', 'pageshow', 'focus'];

describe('watchPage', () => {
  let told: unknown[] = [];
  let end = (): void => {};
  const watch = () => {
    end = watchPage({
      visibility: (hidden) => told.push(hidden ? 'hidden' : 'visible'),
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

  it.each(HINTS)('takes %s of the window for a hint', (type) => {
    watch();
    window.dispatchEvent(new Event(type));
    expect(told).toEqual(['hint']);
  });

  it('takes resume of the document for a hint', () => {
    watch();
    document.dispatchEvent(new Event('resume'));
    expect(told).toEqual(['hint']);
  });

  it('takes nothing else for a hint', () => {
    watch();
    for (const type of ['blur', 'load', 'pagehide', 'resize']) {
      window.dispatchEvent(new Event(type));
    }
    document.dispatchEvent(new Event('freeze'));
    expect(told).toEqual([]);
  });

  it('tells nothing after its end', () => {
    watch();
    end();
    show(false);
    show(true);
    document.dispatchEvent(new Event('resume'));
    for (const type of HINTS) window.dispatchEvent(new Event(type));
    expect(told).toEqual([]);
  });
});
