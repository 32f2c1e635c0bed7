// How a listener stops listening: at once, or after everything that has arrived.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../../server-side.ts';
import { type GatewayStage, openPage, stage } from '../gateway-stage.ts';

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** A TCP connection that the listener has accepted, without a request yet. */
async function arrive({ listener, port }: GatewayStage): Promise<Socket> {
  const accepted = once(listener.server, 'connection');
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  atEnd(() => socket.destroy());
  await accepted;
  return socket;
}

describe('a listener that retires', () => {
  it('lets a connection that has arrived send its request and become a WebSocket', async () => {
    const play = await stage();
    const early = await arrive(play);
    const { page } = await openPage(play);
    const retired = play.listener.retire().then(() => 'retired');
    const late = connect(play.port, '127.0.0.1');
    await once(late, 'error'); // it listens no more

    early.write(`${REQUEST.join('\r\n')}\r\n\r\n`);
    expect(String((await once(early, 'data'))[0])).toMatch(/^HTTP\/1\.1 101 /);
    page.close();
    await once(page, 'close');
    expect(await Promise.race([retired, Promise.resolve('waits')])).toBe('waits');
    early.destroy();
    expect(await retired).toBe('retired');
  });

  it('waits for no connection that never sends a request', async () => {
    const play = await stage({ handshakeTimeout: 100 });
    const silent = await arrive(play);
    const closed = once(silent, 'close');
    await play.listener.retire();
    await closed;
    expect(silent.bytesRead).toBe(0);
  });
});

describe('a listener that closes', () => {
  it('drops a connection that has sent no request, and keeps a WebSocket', async () => {
    const play = await stage();
    const early = await arrive(play);
    const { page, far } = await openPage(play);
    const closed = once(early, 'close');
    play.listener.close();
    await closed;
    far.send('still here');
    expect(String((await once(page, 'message'))[0])).toBe('still here');
  });
});
