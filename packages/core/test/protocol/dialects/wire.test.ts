import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { joinWire, utf8Bytes, wireOf } from '../../../src/protocol/dialects/wire.ts';
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

describe('wireOf', () => {
  it('reads text, bytes, and the bytes of text', () => {
    expect(wireOf('a', true)).toBe('a');
    expect(wireOf(Buffer.from('€'), true)).toBe('€');
    expect(wireOf(bytes('abc').subarray(1), false)).toEqual(bytes('bc'));
    expect(wireOf(bytes('abc').buffer, false)).toEqual(bytes('abc'));
    const foreign = runInNewContext('new Uint8Array([1, 2]).buffer');
    expect(wireOf(foreign, false)).toEqual(bytes([1, 2]));
  });

  it('returns nothing for what cannot be read at once', () => {
    expect(wireOf(new Blob(['a']), false)).toBeUndefined();
    expect(wireOf([Buffer.from('a')], false)).toBeUndefined();
  });
});
