import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../core/test/refusal.ts';
import {
  answerHeaders,
  type HeaderOptions,
  resolveHeaderOptions,
  upstreamHeaders,
} from '../../../src/gateway/http/headers.ts';

const COOKIE = 'session=1; theme=dark;id=7; name'; // the last is a value without a name

const FROM_PAGE = {
  host: 'public.example',
  origin: 'https://page.example',
  cookie: COOKIE,
  'x-forwarded-for': '6.6.6.6',
  'x-forwarded-proto': 'https',
  'x-own': 'mine',
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-extensions': 'permessage-deflate',
};

function headersOf(options: HeaderOptions = {}, headers: object = FROM_PAGE, isSecure = false) {
  const socket = { remoteAddress: '10.0.0.9', encrypted: isSecure };
  const request = { headers, socket } as unknown as IncomingMessage;
  return upstreamHeaders(request, resolveHeaderOptions(options));
}

describe('the headers option', () => {
  it.each([{ authorization: 'Bearer hunter2\r\nx: y' }, { 'x own': 'hunter2' }])(
    'rejects %j at once, and does not repeat the value',
    (headers) => {
      const { option, message, value } = refusalOf(() => resolveHeaderOptions({ headers }));
      expect(option).toBe('headers');
      expect(`${message} ${value}`).not.toContain('hunter2');
    },
  );
});

describe('what the upstream receives of a request', () => {
  it('includes origin and cookies, and where the request came from', () => {
    expect(headersOf()).toEqual({
      origin: 'https://page.example',
      cookie: COOKIE,
      'x-forwarded-for': '10.0.0.9',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'public.example',
    });
  });

  it.each([
    ['::ffff:10.0.0.9', '10.0.0.9'],
    ['2001:db8::9', '2001:db8::9'],
    [undefined, 'unknown'],
  ])('is for %s an X-Forwarded-For of %s', (remoteAddress, expected) => {
    const request = { headers: {}, socket: { remoteAddress } } as unknown as IncomingMessage;
    expect(upstreamHeaders(request, resolveHeaderOptions({}))['x-forwarded-for']).toBe(expected);
  });

  it('includes what was chosen, but never headers of one connection or one handshake', () => {
    const forwardHeaders = ['X-Own', 'connection', 'upgrade', 'sec-websocket-key', 'absent'];
    expect(headersOf({ forwardHeaders, forwarded: false })).toEqual({ 'x-own': 'mine' });
  });

  it('includes nothing that `Connection` names: RFC 9110 §7.6.1', () => {
    const options = { forwardHeaders: ['origin', 'cookie', 'x-own'], forwarded: 'append' } as const;
    const connection = 'Upgrade, Cookie ,X-OWN, x-forwarded-for';
    expect(headersOf(options, { ...FROM_PAGE, connection })).toEqual({
      origin: 'https://page.example',
      'x-forwarded-for': '10.0.0.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example',
    });
  });

  it("has the operator's credentials instead of the page's, and an own header before both", () => {
    const page = { ...FROM_PAGE, authorization: 'Bearer of-the-page' };
    const request = { headers: page, socket: {} } as unknown as IncomingMessage;
    const authorizationBy = (options: HeaderOptions, own?: string) =>
      upstreamHeaders(request, resolveHeaderOptions(options), own)['authorization'];
    expect(authorizationBy({})).toBe('Bearer of-the-page');
    expect(authorizationBy({}, 'Basic own')).toBe('Basic own');
    expect(authorizationBy({ headers: { Authorization: 'Key' } }, 'Basic own')).toBe('Key');
  });

  it.each([
    [true, COOKIE],
    [false, undefined],
    [['id', 'session'], 'session=1; id=7'],
    [['other'], undefined],
    [['nam'], undefined],
    [['name'], undefined],
    [['theme', 'nam', 'name'], 'theme=dark'],
  ])('has of the cookies with %j this: %s', (cookies, expected) => {
    expect(headersOf({ cookies })['cookie']).toBe(expected);
  });

  it('includes what a trusted proxy says of the client, if the option is set', () => {
    expect(headersOf({ forwarded: 'append' })).toMatchObject({
      'x-forwarded-for': '6.6.6.6, 10.0.0.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'public.example',
    });
    expect(headersOf({ forwarded: 'append' }, {}, true)).toEqual({
      'x-forwarded-for': '10.0.0.9',
      'x-forwarded-proto': 'https',
    });
  });

  it('includes given headers, which replace others', () => {
    const headers = { Host: 'inside', Origin: 'https://other', Upgrade: 'h2c' };
    expect(headersOf({ headers })).toMatchObject({ host: 'inside', origin: 'https://other' });
    expect(headersOf({ headers })).not.toHaveProperty('upgrade');
    const { 'x-of': of } = headersOf({
      headers: (request) => ({ 'X-Of': `${request.headers.host}` }),
    });
    expect(of).toBe('public.example');
  });

  it.each<[string, unknown]>([
    ['forwardHeaders', 'origin'],
    ['cookies', 'all'],
    ['headers', 7],
    ['forwarded', true],
  ])('is not chosen by a %s of %j', (option, value) => {
    expect(refusalOf(() => resolveHeaderOptions({ [option]: value })).option).toBe(option);
  });
});

describe('what the page receives of an answer', () => {
  it('includes all headers except those of one connection or one handshake, each by itself', () => {
    const raw = [
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'Connection',
      'close, x-hop',
      'connection',
      'X-Other',
      'X-Hop',
      'for the gateway',
      'x-other',
      'likewise',
      'Sec-WebSocket-Accept',
      'x',
      'X-Y',
      'z',
    ];
    expect(answerHeaders(raw)).toEqual([
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Y', 'z'],
    ]);
  });
});
