import { describe, expect, it } from 'vitest';
import { reasonOf } from '../../src/reconnect/close-record.ts';

describe('reasonOf', () => {
  it('calls 1006 abnormal: the connection ended without a Close frame', () => {
    expect(reasonOf(1006)).toBe('abnormal');
  });

  it.each([4400, 4401, 4450, 4499])('calls %i fatal: the request would be wrong again', (code) => {
    expect(reasonOf(code)).toBe('fatal');
  });

  it.each([1000, 1001, 1005, 1008, 1011, 1012, 1015, 3000, 3008, 4000, 4399, 4500, 4502, 4999])(
    'calls %i the close of the peer',
    (code) => {
      expect(reasonOf(code)).toBe('peer-close');
    },
  );
});
