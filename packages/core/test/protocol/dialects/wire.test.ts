import { describe, expect, it } from 'vitest';
import { joinWire, utf8Bytes } from '../../../src/protocol/dialects/wire.ts';
import { bytes } from './bytes.ts';

describe('joinWire', () => {
  it('puts texts together, and bytes together', () => {
    expect(joinWire(['a', '', 'b'])).toBe('ab');
    expect(joinWire([bytes('a'), bytes('bc')])).toEqual(bytes('abc'));
  });

  it('returns nothing if all parts are empty', () => {
    expect(joinWire(['', ''])).toBeUndefined();
    expect(joinWire([bytes()])).toBeUndefined();
    expect(joinWire([])).toBeUndefined();
  });
});

describe('utf8Bytes', () => {
  it('counts the bytes of a text as the encoder does', () => {
    for (const text of ['a', 'é', '€', '😀', '\uffff']) {
      const codes = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
      const sum = codes.reduce((total, code) => total + utf8Bytes(code), 0);
      expect(sum).toBe(bytes(text).length);
    }
  });
});
