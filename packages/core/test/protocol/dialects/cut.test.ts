import { describe, expect, it } from 'vitest';
import { cut } from '../../../src/protocol/dialects/cut.ts';
import { bytes } from './bytes.ts';

describe('cut', () => {
  it('keeps the type of the data', () => {
    expect(cut('abc', 'b')).toBe('b');
    expect(cut(bytes('abc'), bytes('b'))).toEqual(bytes('b'));
    const view = bytes('abc').subarray(1, 2);
    const buffer = cut(bytes('abc').buffer, view);
    expect(new Uint8Array(buffer as ArrayBuffer)).toEqual(bytes('b'));
  });

  it('returns a Buffer for a Buffer, with text in UTF-8', () => {
    for (const part of [bytes('€'), '€']) {
      const left = cut(Buffer.from('a€'), part);
      expect(Buffer.isBuffer(left)).toBe(true);
      expect(String(left)).toBe('€');
    }
  });

  it('returns an event of the same class for an event', () => {
    const event = new MessageEvent('message', { data: 'abc', origin: 'ws://a' });
    const left = cut(event, 'b') as MessageEvent;
    expect(left).toBeInstanceOf(MessageEvent);
    expect([left.type, left.data, left.origin]).toEqual(['message', 'b', 'ws://a']);
  });
});
