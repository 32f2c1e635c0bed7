import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../../core/test/refusal.ts';
import { resolveUpstream } from '../../../src/gateway/http/address.ts';

const requestFor = (url: string) => ({ url }) as IncomingMessage;

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('the address of an upstream', () => {
  it.each([
    ['ws://host', { isSecure: false, host: 'host', port: 80, url: 'ws://host/' }],
    ['wss://host:8443', { isSecure: true, host: 'host', port: 8443, url: 'wss://host:8443/' }],
    ['https://host', { isSecure: true, host: 'host', port: 443, url: 'wss://host/' }],
    ['ws://[::1]:9', { isSecure: false, host: '::1', port: 9, url: 'ws://[::1]:9/' }],
    ['ws://me:p%40ss@host/?key=1', { authorization: basic('me:p@ss'), url: 'ws://host/' }],
    ['ws://:secret@host', { authorization: basic(':secret'), url: 'ws://host/' }],
    ['ws://host', { authorization: undefined }],
  ])('is read from %s, and its URL may appear in a log', async (given, expected) => {
    expect(await resolveUpstream(given)(requestFor('/'))).toMatchObject(expected);
    expect(await resolveUpstream(new URL(given))(requestFor('/'))).toMatchObject(expected);
  });

  it.each([
    ['ws://host', '/chat/1?x=2', '/chat/1?x=2'],
    ['ws://host/', '/', '/'],
    ['ws://host/own', '/chat?x=2', '/own?x=2'],
    ['ws://host/own?a=1', '/?x=2&y', '/own?a=1&x=2&y'],
    ['ws://host/?a=1', '/chat?', '/chat?a=1'],
    ['ws://host', '/a%2Fb//c/../d', '/a%2Fb//c/../d'],
    ['ws://host', '//', '//'],
    ['ws://host', '//?x', '//?x'],
  ])('with %s and a request for %s has the path %s', async (given, url, path) => {
    const address = await resolveUpstream(given)(requestFor(url));
    expect(address).toMatchObject({ path, url: `ws://host${path.split('?')[0]}` });
  });

  it.each(['//elsewhere/x', '/\\elsewhere', '/@elsewhere', '/x?url=ws://elsewhere'])(
    'does not become another host by the path %s',
    async (url) => {
      const address = await resolveUpstream('ws://host:81')(requestFor(url));
      expect(address).toMatchObject({ host: 'host', port: 81, path: url });
    },
  );

  it('is what a function returns, and nothing is added to it', async () => {
    const upstreamOf = resolveUpstream(async ({ url }) =>
      url === '/a' ? 'ws://a/b?c' : undefined,
    );
    expect(await upstreamOf(requestFor('/a'))).toMatchObject({ host: 'a', path: '/b?c' });
    expect(await upstreamOf(requestFor('/other'))).toBeUndefined();
    expect(await resolveUpstream(() => null)(requestFor('/'))).toBeUndefined();
  });

  it.each(['', 'host:80', 'ftp://host', 'ws://', 7, undefined, null])('refuses %j', (given) => {
    expect(refusalOf(() => resolveUpstream(given as string)).option).toBe('upstream');
  });

  it.each(['ftp://me:hunter2@host', 'wss//me:hunter2@host', new URL('ftp://me:hunter2@host')])(
    'does not repeat %s in its error, which may be logged',
    (given) => {
      const { message, value } = refusalOf(() => resolveUpstream(given));
      expect(`${message} ${value}`).not.toContain('hunter2');
    },
  );

  it('refuses credentials that are not in percent-encoding, and does not repeat them', () => {
    const refusal = refusalOf(() => resolveUpstream('ws://me:100%@host'));
    expect([refusal.option, refusal.message.includes('100%')]).toEqual(['upstream', false]);
  });

  it('refuses an invalid one when the function returns it', async () => {
    const upstreamOf = resolveUpstream(() => 'javascript:x');
    await expect(upstreamOf(requestFor('/'))).rejects.toMatchObject({ option: 'upstream' });
  });
});
