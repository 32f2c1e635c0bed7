import { afterEach, describe, expect, it, vi } from 'vitest';
import { readRetryAfter } from '../../src/reconnect/retry-after.ts';

const NOW = Date.UTC(2026, 10, 6, 8, 49, 7);

const read = (value: unknown, date?: string) =>
  readRetryAfter({ 'retry-after': value, ...(date !== undefined && { date }) });

afterEach(() => vi.useRealTimers());

describe('readRetryAfter', () => {
  it.each([
    ['0', 0],
    ['1', 1_000],
    ['120', 120_000],
  ])('reads %j as seconds', (value, wait) => {
    expect(read(value)).toBe(wait);
  });

  it.each([
    'Fri, 06 Nov 2026 08:49:37 GMT', // IMF-fixdate
    'Friday, 06-Nov-26 08:49:37 GMT', // RFC 850
    'Fri Nov  6 08:49:37 2026', // asctime()
  ])('reads %j as the time until then', (value) => {
    vi.useFakeTimers({ now: NOW });
    expect(read(value)).toBe(30_000);
  });

  it('counts from the date of the response, because our own clock may be wrong', () => {
    vi.useFakeTimers({ now: NOW + 3_600_000 });
    const date = 'Fri, 06 Nov 2026 08:49:07 GMT';
    expect(read('Fri, 06 Nov 2026 08:49:37 GMT', date)).toBe(30_000);
    expect(read('Fri, 06 Nov 2026 08:49:37 GMT', 'today')).toBe(0);
  });

  it('reads a date that has passed as no wait', () => {
    expect(read('Fri, 31 Dec 1999 23:59:59 GMT')).toBe(0);
  });

  it.each([
    undefined,
    '',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    'soon',
    '5 GMT',
    'Nov 2026',
    '2026-11-06T08:49:37Z',
  ])('reads nothing from %j', (value) => {
    expect(read(value)).toBeUndefined();
  });
});
