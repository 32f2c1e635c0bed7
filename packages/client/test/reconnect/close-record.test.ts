import { describe, expect, it } from 'vitest';
import { ownEnd, reasonOf, recordOf } from '../../src/reconnect/close-record.ts';

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

describe('recordOf', () => {
  const given = { code: 1001, text: 'bye', wasClean: true };

  it('takes what the peer gave, unless this side ended the connection', () => {
    const record = { reason: 'peer-close', ...given, wasOpen: true, age: 5 };
    expect(recordOf(given, 'peer-close', undefined, 5)).toEqual(record);
    const own = ownEnd('ping-timeout', false);
    expect(recordOf(given, 'peer-close', own, 5)).toEqual({ ...record, ...own });
  });

  it('has the evidence, and no age if the connection was never open', () => {
    const record = recordOf(
      { ...given, evidence: { status: 503 } },
      'abnormal',
      undefined,
      undefined,
    );
    expect(record).toEqual({ reason: 'abnormal', ...given, wasOpen: false, status: 503 });
  });
});
