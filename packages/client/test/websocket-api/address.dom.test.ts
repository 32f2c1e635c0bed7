import { afterEach, describe, expect, it } from 'vitest';
import { readUrl } from '../../src/websocket-api/address.ts';

afterEach(() => {
  document.head.innerHTML = '';
});

describe('readUrl in a page', () => {
  it('reads a relative address by that of the page', () => {
    window.history.replaceState({}, '', '/app/page');
    const { host } = window.location;
    expect(readUrl('/socket')).toBe(`ws://${host}/socket`);
    expect(readUrl('socket?a')).toBe(`ws://${host}/app/socket?a`);
    expect(readUrl('//other/socket')).toBe('ws://other/socket');
    expect(() => readUrl('#part')).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });

  it('reads it by the base element, if the page has one', () => {
    document.head.innerHTML = '<base href="https://cdn.test/deep/">';
    expect(readUrl('socket')).toBe('wss://cdn.test/deep/socket');
  });
});
