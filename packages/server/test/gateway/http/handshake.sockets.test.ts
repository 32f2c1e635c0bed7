import { once } from 'node:events';
import { createServer, type IncomingMessage, request as requestHttp, type Server } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import { describe, expect, it } from 'vitest';
import { atEnd, Log, MS } from '../../server-side.ts';
import {
  create,
  emitted,
  onlyConnection,
  openPage,
  recordEvents,
  stage,
  urlOf,
} from '../gateway-stage.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HEADERS = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': KEY,
};

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks for a WebSocket, rightly or not, and gives what is answered. */
async function ask(
  port: number,
  {
    headers = {},
    path = '/',
    method = 'GET',
  }: { headers?: object; path?: string; method?: string } = {},
): Promise<Reply> {
  const request = requestHttp({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { ...HEADERS, ...headers } as never,
  });
  request.on('error', () => {});
  request.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve(answer);
    });
    request.on('error', reject);
  });
  let body = '';
  if (response.statusCode !== 101) for await (const chunk of response) body += chunk;
  return { status: response.statusCode, headers: response.headers, body };
}

/** An upstream that answers a handshake as it is told to, or not at all. */
async function standIn(answer: string): Promise<Server> {
  const server = createServer();
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    if (answer !== '') socket.end(answer.replaceAll('\n', '\r\n'));
    atEnd(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

describe('a handshake', () => {
  it('is passed on with path, query, subprotocols, cookies and origin, and the answer comes back', async () => {
    const play = await stage({}, { handleProtocols: (protocols) => [...protocols][1] ?? false });
    const seen: Log<IncomingMessage> = new Log();
    play.upstream.on('headers', (headers, request) => {
      headers.push('Set-Cookie: seen=1');
      seen.push(request);
    });
    const { page } = await openPage(play, {
      path: '/chat/7?token=a%20b',
      protocols: ['v1', 'v2'],
      origin: 'https://page.example',
      headers: { cookie: 'session=1' },
    });
    const { url, headers } = await seen.find();
    expect(url).toBe('/chat/7?token=a%20b');
    expect(headers).toMatchObject({
      origin: 'https://page.example',
      cookie: 'session=1',
      'sec-websocket-protocol': 'v1,v2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': `127.0.0.1:${play.port}`,
    });
    expect(headers['sec-websocket-extensions']).toBeUndefined();
    expect([page.protocol, page.extensions]).toEqual(['v2', '']);
    const { status, headers: answered } = await ask(play.port);
    expect([status, answered['set-cookie']]).toEqual([101, ['seen=1']]);
    expect(answered['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='); // §1.3
  });

  it.each([
    ['a POST', { method: 'POST' }, 405],
    ['no WebSocket', { headers: { upgrade: 'h2c' } }, 426],
    ['another version', { headers: { 'sec-websocket-version': '8' } }, 426],
    ['no key', { headers: { 'sec-websocket-key': '' } }, 400],
    ['half a key', { headers: { 'sec-websocket-key': 'dGhl' } }, 400],
    ['the same subprotocol twice', { headers: { 'sec-websocket-protocol': 'a, a' } }, 400],
    ['a whole URL', { path: 'http://elsewhere/' }, 400],
  ])('of %s is refused, and the upstream receives nothing', async (_, how, status) => {
    const play = await stage();
    const reply = await ask(play.port, how);
    expect(reply.status).toBe(status);
    if (status === 426) expect(reply.headers['sec-websocket-version']).toBe('13'); // §4.4
    expect(play.requests).toEqual([]);
    expect(await emitted(play.events, 'refuse')).toMatchObject({ status, reason: 'bad-request' });
  });

  it.each([
    [false, 403, 'Forbidden\n'],
    [401, 401, 'Unauthorized\n'],
    [{ status: 429, body: 'later', headers: { 'Retry-After': '9' } }, 429, 'later\n'],
    [undefined, 500, 'Internal Server Error\n'],
    [{ status: 403, headers: { A: 'b\r\nSet-Cookie: c' } }, 500, 'Internal Server Error\n'],
  ])('is refused if `allow` returns %j', async (verdict, status, body) => {
    const play = await stage({ allow: async () => verdict as false });
    const reply = await ask(play.port);
    expect([reply.status, reply.body]).toEqual([status, body]);
    if (status === 429) expect(reply.headers['retry-after']).toBe('9');
    expect(play.requests).toEqual([]);
    expect(play.gateway.status().counters.refused).toMatchObject(
      status === 500 ? { error: 1 } : { 'not-allowed': 1 },
    );
  });

  it('is refused with 500 if `allow` throws, without its message', async () => {
    const play = await stage({
      allow: ({ url }) => {
        if (url === '/bad') throw new Error('secret');
        return true;
      },
    });
    const reply = await ask(play.port, { path: '/bad' });
    expect([reply.status, reply.body]).toEqual([500, 'Internal Server Error\n']);
    expect((await emitted(play.events, 'refuse')).error?.message).toBe('secret');
    expect((await ask(play.port)).status).toBe(101);
  });

  it('is refused with 404 if there is no upstream', async () => {
    const play = await stage({ upstream: () => undefined });
    expect((await ask(play.port)).status).toBe(404);
  });

  it('is refused as the upstream refuses it: status, headers and body', async () => {
    const refusal =
      'HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic\nContent-Length: 9\nConnection: close\n\nwho, you?';
    const upstream = await standIn(refusal);
    const play = await stage({ upstream: urlOf(upstream) });
    const reply = await ask(play.port);
    expect([reply.status, reply.body]).toEqual([401, 'who, you?']);
    expect(reply.headers['www-authenticate']).toBe('Basic');
    const { error } = await emitted(play.events, 'refuse');
    expect(error).toMatchObject({ code: 'ERR_UPSTREAM', kind: 'refused', status: 401 });
  });

  it('is refused with the whole body of the upstream, even a long one', async () => {
    const upstream = createServer();
    const body = 'no '.repeat(1_000_000);
    upstream.on('upgrade', (_, socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let at = 0; at < body.length; at += 30_000) {
        socket.write(`${(30_000).toString(16)}\r\n${body.slice(at, at + 30_000)}\r\n`);
      }
      socket.end('0\r\n\r\n');
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    atEnd(() => upstream.close());
    const play = await stage({ upstream: urlOf(upstream) });
    const reply = await ask(play.port);
    expect([reply.status, reply.body === body]).toEqual([403, true]);
  });

  it.each([
    ['', 'no Host'],
    ['Host: a\r\nHost: a\r\n', 'two'],
    ['Host: a\r\nhost: b\r\n', 'two that differ'],
  ])('is refused with 400 for %j: %s', async (hosts) => {
    const play = await stage();
    const lines = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
    const socket = connect(play.port, '127.0.0.1');
    atEnd(() => socket.destroy());
    socket.write(`GET / HTTP/1.1\r\n${hosts}${lines.join('')}\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400 /);
    expect(play.requests).toEqual([]);
  });

  it('is passed on with any path, and the log has that path without the query', async () => {
    const play = await stage();
    for (const [path, logged] of [
      ['//', '//'],
      ['//host/x?token=1', '//host/x'],
      ['/chat/7', '/chat/7'],
    ] as const) {
      const { page } = await openPage(play, { path });
      expect(onlyConnection(play).upstream).toBe(urlOf(play.upstream) + logged);
      page.terminate();
      await emitted(play.events, 'end', play.requests.length);
    }
    expect(play.requests).toEqual(['//', '//host/x?token=1', '/chat/7']);
  });

  it("has the credentials of the upstream's URL, whatever the page sends", async () => {
    const inner = await stage();
    const upstream = urlOf(inner.upstream).replace('//', '//gateway:secret@');
    const seen: Log<string | undefined> = new Log();
    inner.upstream.on('headers', (_, { headers }) => seen.push(headers.authorization));
    const play = await stage({ upstream });
    await ask(play.port);
    await ask(play.port, { headers: { authorization: 'Bearer of-the-page' } });
    const expected = `Basic ${Buffer.from('gateway:secret').toString('base64')}`;
    expect(seen.entries).toEqual([expected, expected]);
  });

  const GOOD = 'HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\n';
  it.each([
    ['a wrong accept', `${GOOD}Sec-WebSocket-Accept: x\n\n`],
    ['another upgrade', GOOD.replace('websocket', 'h2c').concat('\n')],
    ['no HTTP', 'nonsense\n\n'],
    ['an upgrade to nothing', GOOD.replace('Upgrade: websocket\n', '').concat('\n')],
    ['an upgrade without `Connection`', GOOD.replace('Connection: Upgrade\n', '').concat('\n')],
  ])('is refused with 502 if the upstream answers with %s', async (_, answer) => {
    const play = await stage({ upstream: urlOf(await standIn(answer)) });
    expect((await ask(play.port)).status).toBe(502);
    expect(play.gateway.connections.size).toBe(0);
  });

  it.each([
    ['an extension nobody asked for', { perMessageDeflate: true }, 'Sec-WebSocket-Extensions: x'],
    ['a subprotocol nobody asked for', {}, 'Sec-WebSocket-Protocol: other'],
  ])('is refused with 502 if the upstream accepts %s', async (_, options, header) => {
    const play = await stage({}, options);
    play.upstream.on('headers', (headers) => headers.push(header));
    const reply = await ask(play.port, { headers: { 'sec-websocket-protocol': 'mine' } });
    expect(reply.status).toBe(502);
    expect((await emitted(play.events, 'refuse')).reason).toBe('upstream-invalid');
  });

  it('is refused with 502 if nothing listens', async () => {
    const nobody = createTcp().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const upstream = urlOf(nobody);
    nobody.close();
    const play = await stage({ upstream });
    expect((await ask(play.port)).status).toBe(502);
    const { reason, error } = await emitted(play.events, 'refuse');
    expect([reason, error?.message]).toEqual([
      'upstream-unreachable',
      expect.stringContaining('ECONNREFUSED'),
    ]);
  });

  it('is refused with 504 if the upstream does not answer in time', async () => {
    const play = await stage({ upstream: urlOf(await standIn('')), connectTimeout: 100 * MS });
    expect((await ask(play.port)).status).toBe(504);
    expect((await emitted(play.events, 'refuse')).error).toMatchObject({ kind: 'timeout' });
  });

  it('is refused as `gone` if the page gives up first, and the upstream is disconnected', async () => {
    const upstream = await standIn('');
    const left = new Promise((resolve) => {
      upstream.once('upgrade', (_, socket) => {
        for (const event of ['end', 'close']) socket.once(event, resolve); // by FIN or RST
        socket.resume();
      });
    });
    const play = await stage({ upstream: urlOf(upstream) });
    const request = requestHttp({ host: '127.0.0.1', port: play.port, headers: HEADERS });
    request.on('error', () => {});
    request.end();
    await once(upstream, 'upgrade');
    request.destroy();
    expect(await emitted(play.events, 'refuse')).toMatchObject({ reason: 'gone', status: 499 });
    await left;
  });

  it('can also be served by a server of the application, beside its other requests', async () => {
    const inner = await stage();
    const server = createServer((_, response) => response.end('the application'));
    const gateway = create({ upstream: urlOf(inner.upstream) });
    server.on('upgrade', gateway.handleUpgrade);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => server.close());
    const { port } = server.address() as { port: number };
    const events = recordEvents(gateway);
    const { page, arrived } = await openPage({ ...inner, port, gateway, events });
    page.send('hello');
    expect(await arrived.find()).toEqual(['text', 'hello']);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe('the application');
  });
});

describe('a listener', () => {
  it('answers ordinary requests with 426, or with its option `request`', async () => {
    const play = await stage();
    const reply = await fetch(`http://127.0.0.1:${play.port}/`);
    expect([reply.status, reply.headers.get('upgrade')]).toEqual([426, 'websocket']);
    const other = await play.gateway.listen({
      port: 0,
      host: '127.0.0.1',
      request: (_, response) => response.end(JSON.stringify(play.gateway.status())),
    });
    const status = await (await fetch(`http://127.0.0.1:${other.port}/`)).json();
    expect(status).toMatchObject({ state: 'running', open: 0 });
    expect(other.url).toBe(`ws://127.0.0.1:${other.port}`);
  });

  it('rejects if it cannot listen, and refuses an invalid port', async () => {
    const play = await stage();
    const { gateway, port } = play;
    await expect(gateway.listen({ port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await expect(gateway.listen({ port: -1 })).rejects.toMatchObject({ option: 'port' });
  });

  it('closes, and WebSockets stay open', async () => {
    const play = await stage();
    const { page, arrived } = await openPage(play);
    await play.listener.close();
    await expect(fetch(`http://127.0.0.1:${play.port}/`)).rejects.toThrow();
    page.send('still here');
    expect(await arrived.find()).toEqual(['text', 'still here']);
  });
});
