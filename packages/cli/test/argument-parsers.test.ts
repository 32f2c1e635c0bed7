import { describe, expect, it } from 'vitest';
import { place } from '../src/argument-parsers.ts';

describe('place', () => {
  it.each([
    ['8080', { port: 8080 }],
    ['0', { port: 0 }],
    [':8080', { port: 8080 }],
    ['localhost:80', { port: 80, host: 'localhost' }],
    ['127.0.0.1:8080', { port: 8080, host: '127.0.0.1' }],
    ['[::1]:8080', { port: 8080, host: '::1' }],
  ])('reads %s', (text, expected) => {
    expect(place(text)).toEqual(expected);
  });

  it.each(['', 'x', ':', '80:', '::1:80', '65536', '1e3', '-1', 'a:b:1'])('refuses %s', (text) => {
    expect(() => place(text)).toThrow('It must be a port, or host:port.');
  });
});
