import { describe, expect, it } from 'vitest';
import { CloseCode } from '../src/close-code.ts';

describe('CloseCode', () => {
  // RFC 6455 §7.4.1
  it('numbers the codes as the RFC does', () => {
    const { Normal, GoingAway, NoStatus, Abnormal, PolicyViolation } = CloseCode;
    expect([Normal, GoingAway, NoStatus, Abnormal, PolicyViolation]).toEqual([
      1000, 1001, 1005, 1006, 1008,
    ]);
  });

  // WHATWG WebSockets §3.1, close(): 1000 or 3000 to 4999, else InvalidAccessError
  it('has for a timeout a code that a page may send, and that is no success', () => {
    expect(CloseCode.Timeout).toBe(3008);
    expect(CloseCode.Timeout).toBeGreaterThanOrEqual(3000);
    expect(CloseCode.Timeout).toBeLessThanOrEqual(4999);
  });

  it('has a code of its own for each meaning', () => {
    const codes = Object.values(CloseCode);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
