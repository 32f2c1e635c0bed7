import { afterEach, describe, expect, it, vi } from 'vitest';
import { readProtocols, readUrl, syntaxError } from '../../src/websocket-api/address.ts';

// What the standard asks, rule by rule, is in w3c-rules.ts.

afterEach(() => vi.unstubAllGlobals());

describe('readUrl', () => {
  it.each([
    ['ws://host', 'ws://host/'],
    ['HTTPS://Host:443/a?b', 'wss://host/a?b'],
    ['http://host/http', 'ws://host/http'],
    [new URL('wss://host/'), 'wss://host/'],
  ])('reads %s as %s', (given, url) => {
    expect(readUrl(given)).toBe(url);
  });

  it.each(['/path', 'host', '', 'ftp://host/', 'ws://host/#', 'wsx://host/', null])(
    'refuses %s, and names it',
    (given) => {
      expect(() => readUrl(given)).toThrow(DOMException);
      expect(() => readUrl(given)).toThrow(`\`${given}\``);
    },
  );

  it('refuses by an Error of the same name where the runtime has no DOMException', () => {
    vi.stubGlobal('DOMException', undefined);
    expect(() => readUrl('host')).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
  });

  it('refuses to read none', () => {
    expect(() => readUrl(undefined)).toThrow(TypeError);
  });

  it('reads a relative one by the address of the worker', () => {
    vi.stubGlobal('location', { href: 'https://host/app/worker.js' });
    expect(readUrl('/socket')).toBe('wss://host/socket');
    expect(readUrl('socket?a')).toBe('wss://host/app/socket?a');
    expect(() => readUrl('#part')).toThrow(DOMException);
  });

  it('reads a relative one by the base of the document, if there is one', () => {
    vi.stubGlobal('location', { href: 'https://host/page' });
    vi.stubGlobal('document', { baseURI: 'http://base/' });
    expect(readUrl('socket')).toBe('ws://base/socket');
  });
});

describe('readProtocols', () => {
  it.each([
    [undefined, undefined],
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [new Set(['a']), ['a']],
    [[], []],
    [null, ['null']],
    [12, ['12']],
    [
      [1, true],
      ['1', 'true'],
    ],
    ["!#$%&'*+-.^_`|~09azAZ", ["!#$%&'*+-.^_`|~09azAZ"]],
  ])('reads %j as %j', (given, names) => {
    expect(readProtocols(given)).toEqual(names);
  });

  it('refuses each character that separates tokens, all spaces, and what is not ASCII', () => {
    for (const character of '()<>@,;:\\"/[]?={} \t\n\0\x7fé') {
      expect(() => readProtocols(`a${character}`)).toThrow(DOMException);
    }
  });

  const TOKEN = "a subprotocol to be 1 or more of A-Z, a-z, 0-9 and !#$%&'*+-.^_`|~";
  it.each([
    ['', `${TOKEN}, got \`\``],
    [[''], `${TOKEN}, got \`\``],
    [['a', 'b c', 'a'], `${TOKEN}, got \`b c\``],
    [['a', 'a'], 'subprotocols that differ, ignoring case, got `a,a`'],
    [['a', 'b', 'A'], 'subprotocols that differ, ignoring case, got `a,b,A`'],
  ])('refuses %j, and says why', (given, expected) => {
    const message = `Expected ${expected}`;
    expect(() => readProtocols(given)).toThrow(
      expect.objectContaining({ name: 'SyntaxError', message }),
    );
  });
});

describe('syntaxError', () => {
  it('is what the standard throws', () => {
    const error = syntaxError('no such thing');
    expect(error).toBeInstanceOf(DOMException);
    expect(error).toMatchObject({ name: 'SyntaxError', message: 'no such thing' });
  });
});
