import { once } from 'node:events';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { atEnd, MS } from '../server-side.ts';
import { CERT, KEY } from './certificate.ts';
import { create, emitted, receive, recordEvents, stage, urlOf } from './gateway-stage.ts';

const LARGE = 3_000_000;

/** An echo behind TLS. */
async function secureUpstream(): Promise<string> {
  const server = createServer({ cert: CERT, key: KEY });
  const upstream = new WebSocketServer({ server });
  upstream.on('connection', (socket, request) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.send(`by ${request.headers['x-forwarded-proto']}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of upstream.clients) socket.terminate();
    server.close();
  });
  return urlOf(server, 'wss');
}

describe('TLS', () => {
  it('works on both sides, and messages of any length pass', async () => {
    const gateway = create({ upstream: await secureUpstream(), tls: { ca: CERT } });
    const listener = await gateway.listen({
      port: 0,
      host: '127.0.0.1',
      tls: { cert: CERT, key: KEY },
    });
    expect(listener.url).toBe(`wss://127.0.0.1:${listener.port}`);
    const page = new WebSocket(listener.url, { ca: CERT });
    atEnd(() => page.terminate());
    const received = receive(page);
    await once(page, 'open');
    expect(await received.find()).toEqual(['text', 'by https']);
    const text = 'x'.repeat(LARGE);
    page.send(text);
    page.send('small');
    await received.find(([, data]) => data === 'small');
    expect(received.entries.map(([, { length }]) => length)).toEqual([8, LARGE, 5]);
    page.send('\u0005wb.1');
    expect(await received.find(([, data]) => data === '\u0006wb.1')).toBeDefined();
    page.close(4000, 'enough');
    const [code] = await once(page, 'close');
    expect(code).toBe(4000);
  });

  it('is limited by `handshakeTimeout` for clients that fall silent during it', async () => {
    const gateway = create({ upstream: 'ws://127.0.0.1:1', handshakeTimeout: 200 * MS });
    const { port } = await gateway.listen({
      port: 0,
      host: '127.0.0.1',
      tls: { cert: CERT, key: KEY },
    });
    const silent = connect(port, '127.0.0.1');
    atEnd(() => silent.destroy());
    silent.on('error', () => {});
    silent.resume();
    await once(silent, 'close', { signal: AbortSignal.timeout(10_000 * MS) });
  });

  it.each([
    ['key', { cert: CERT }],
    ['cert', { key: KEY }],
  ])('is not served without a %s', async (option, tls) => {
    const gateway = create({ upstream: 'ws://127.0.0.1:1' });
    const listening = gateway.listen({ port: 0, host: '127.0.0.1', tls });
    await expect(listening).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', option });
  });

  it('of an upstream with an untrusted certificate is refused: 502', async () => {
    const gateway = create({ upstream: await secureUpstream() });
    const events = recordEvents(gateway);
    const { url } = await gateway.listen({ port: 0, host: '127.0.0.1' });
    const page = new WebSocket(url);
    page.on('error', () => {});
    const [, response] = await once(page, 'unexpected-response');
    page.terminate();
    expect(response.statusCode).toBe(502);
    expect(await emitted(events, 'refuse')).toMatchObject({
      reason: 'upstream-unreachable',
      error: { cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } },
    });
  });

  it('is refused to clients that do not use it', async () => {
    const play = await stage();
    const gateway = create({ upstream: urlOf(play.upstream, 'wss'), tls: { ca: CERT } });
    const events = recordEvents(gateway);
    const { url } = await gateway.listen({ port: 0, host: '127.0.0.1' });
    const page = new WebSocket(url);
    page.on('error', () => {});
    const [, response] = await once(page, 'unexpected-response');
    page.terminate();
    expect(response.statusCode).toBe(502);
    expect((await emitted(events, 'refuse')).reason).toBe('upstream-unreachable');
  });
});
