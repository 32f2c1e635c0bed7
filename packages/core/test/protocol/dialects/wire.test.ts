import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { restOf, textOf, utf8Bytes, wireOf } from '../../../src/protocol/dialects/wire.ts';
import { bytes } from './bytes.ts';

describe('restOf', () => {
  it.each(['a-b--c', bytes('a-b--c')])('takes units out of a message, text or bytes', (message) => {
    expect(restOf(message, [])).toBe(message);
    const rest = restOf(message, [false, true, false, true, true]);
    expect(rest).toEqual(typeof message === 'string' ? 'abc' : bytes('abc'));
  });

  it('cuts text between its UTF-16 units', () => {
    expect(restOf('\n😀\n\r', [true, false, false, true])).toBe('😀\r');
  });

  it('returns nothing if nothing is left', () => {
    for (const message of ['ab', bytes('ab')]) {
      expect(restOf(message, [true, true])).toBeUndefined();
    }
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

  it('returns the empty text for what cannot be read at once', () => {
    expect(wireOf(new Blob(['a']), false)).toBe('');
    expect(wireOf([Buffer.from('a')], false)).toBe('');
  });
});

describe('textOf', () => {
  it('reads text, and the bytes of text, and nothing else', () => {
    expect(textOf('a')).toBe('a');
    expect(textOf(Buffer.from('€'), true)).toBe('€');
    for (const data of [bytes('abc'), bytes('abc').buffer, new Blob(['a']), undefined]) {
      expect(textOf(data)).toBe('');
    }
  });
});
