import { describe, expect, it } from 'vitest';
import { readClose } from '../../src/websocket-api/close-arguments.ts';

function nameOf(attempt: () => void): string | undefined {
  try {
    attempt();
  } catch (error) {
    if (error instanceof DOMException) return error.name;
    throw error;
  }
  return undefined;
}

describe('readClose', () => {
  // WebIDL's [Clamp] unsigned short: to the nearest whole number, a half to the even one.
  it.each([
    [999.5, 1000],
    [1000.4, 1000],
    [1000.5, 1000],
    [2999.5, 3000],
    [3001.5, 3002],
    ['3000', 3000],
    [new Date(3008), 3008],
  ])('reads %s as the code %d', (given, code) => {
    expect(readClose(given, undefined)).toEqual([code, '']);
  });

  it.each([null, '', 'x', 4999.5, 999.4, true, [], {}])(
    'refuses %j, which is no such number',
    (given) => {
      expect(nameOf(() => readClose(given, undefined))).toBe('InvalidAccessError');
    },
  );

  it('reads a reason as text, and gives it a code', () => {
    expect(readClose(undefined, undefined)).toEqual([]);
    expect(readClose(undefined, '')).toEqual([]);
    expect(readClose(undefined, 'done')).toEqual([1000, 'done']);
    expect(readClose(3000, 12)).toEqual([3000, '12']);
    expect(readClose(3000, null)).toEqual([3000, 'null']);
    expect(() => readClose(Symbol('code'), undefined)).toThrow(TypeError);
    expect(() => readClose(3000, Symbol('reason'))).toThrow(TypeError);
  });

  it.each([undefined, 1000, 3000, 3008, 4001, 4999])('accepts the code %s', (code) => {
    expect(nameOf(() => readClose(code, undefined))).toBeUndefined();
  });

  it.each([0, -1, 999, 1001, 1005, 1006, 1015, 2999, 5000, 65_536, Number.NaN, 1e9])(
    'refuses the code %d with InvalidAccessError, which names it',
    (code) => {
      expect(nameOf(() => readClose(code, undefined))).toBe('InvalidAccessError');
      expect(() => readClose(code, undefined)).toThrow(String(code));
    },
  );

  // RFC 6455 §5.5: a control frame has at most 125 bytes, and the code takes two of them.
  it.each([
    ['123 letters', 'x'.repeat(123)],
    ['61 letters of two bytes and one more', `${'é'.repeat(61)}x`],
    ['41 letters of three bytes', '€'.repeat(41)],
    ['30 letters of four bytes and three more', `${'😀'.repeat(30)}xyz`],
    ['nothing', ''],
  ])('accepts a reason of %s', (_, reason) => {
    expect(nameOf(() => readClose(1000, reason))).toBeUndefined();
  });

  it.each([
    ['124 letters', 'x'.repeat(124)],
    ['62 letters of two bytes', 'é'.repeat(62)],
    ['41 letters of three bytes and one more', `${'€'.repeat(41)}x`],
    ['31 letters of four bytes', '😀'.repeat(31)],
    ['42 halves of a letter, which are sent as U+FFFD', '\ud83d'.repeat(42)],
  ])('refuses a reason of %s with SyntaxError', (_, reason) => {
    expect(nameOf(() => readClose(1000, reason))).toBe('SyntaxError');
    expect(nameOf(() => readClose(undefined, reason))).toBe('SyntaxError');
  });

  it('looks at the code first, as the standard does', () => {
    expect(nameOf(() => readClose(1, 'x'.repeat(124)))).toBe('InvalidAccessError');
  });
});
