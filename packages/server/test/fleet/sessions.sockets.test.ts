import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { ReconnectingWebSocket, type WebSocketConstructor } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { atEnd, connect, Log, MS, onlyConnection, serve } from '../server-side.ts';

const SECRET = 'AbCdEfGhIjKlMnOpQrSt-_';
const ping = (id: string) => `\u0005wb.${id};v=1;session=${SECRET}`;
const pong = (id: string) => `\u0006wb.${id};session=ok`;

/** Users by the path that they connect to. */
const byPath = {
  session: {
    user: (_: unknown, request: { url?: string | undefined } | undefined) => request?.url,
  },
};

/** A port in front of `port` that forwards bytes, but no end: the server's socket outlives the client's. */
async function listenWithoutEnds(port: number): Promise<number> {
  const proxy = createServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    atEnd(() => [near, far].forEach((socket) => void socket.destroy()));
    near.on('data', (bytes) => far.write(bytes)).on('error', () => {});
    far.on('data', (bytes) => near.write(bytes)).on('error', () => {});
  });
  atEnd(() => proxy.close());
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return (proxy.address() as AddressInfo).port;
}

describe('a client that comes back with its session', () => {
  it('ends its older connection before it is answered, and that is heard no more', async () => {
    const stage = await serve(byPath);
    const { client: older, received: first } = await connect(stage);
    older.send(ping('1'));
    await first.find((text) => text === pong('1'));
    const { socket } = await onlyConnection(stage);
    // These wait in the socket, as they do where a link comes back to life.
    socket.pause();
    for (let index = 0; index < 100; index += 1) older.send(`late ${index}`);
    await new Promise((resolve) => setTimeout(resolve, 50 * MS));
    let answered = false;
    stage.heartbeat.on('replaced', () => expect(answered).toBe(false));
    const { client: newer, received } = await connect(stage);
    newer.send(ping('1'));
    newer.send('first of the newer');
    const closed = once(older, 'close');
    await received.find((text) => text === pong('1'));
    answered = true;
    expect((await closed)[0]).toBe(1006);
    await stage.log.find(([name]) => name === 'message');
    expect(stage.log.entries).toEqual([
      ['end', { reason: 'replaced', code: undefined, text: 'a newer connection took its place' }],
      ['message', 'first of the newer'],
    ]);
    expect(Object.hasOwn(socket, 'emit')).toBe(false);
    expect(stage.server.clients.size).toBe(1);
  });

  it('is not heard either where a message was being read while it was replaced', async () => {
    const stage = await serve(byPath);
    const { client: older, received: first } = await connect(stage);
    older.send(ping('1'));
    await first.find((text) => text === pong('1'));
    const { client: newer, received } = await connect(stage);
    // Both messages come in one chunk: the listener of the first brings the newer connection in.
    const [socket] = stage.server.clients;
    const replaced = new Promise<void>((resolve) => {
      socket?.once('message', () => {
        for (const other of stage.server.clients) {
          if (other !== socket) other.emit('message', Buffer.from(ping('9')), false);
        }
        resolve();
      });
    });
    for (const text of ['one', 'two']) older.send(text);
    await replaced;
    await received.find((text) => text === pong('9'));
    expect(stage.log.entries.filter(([name]) => name === 'message')).toEqual([['message', 'one']]);
    expect(newer.readyState).toBe(newer.OPEN);
  });

  it('leaves alone the connection of another user with the same secret', async () => {
    const stage = await serve(byPath);
    const { client, received } = await connect(stage);
    client.send(ping('1'));
    await received.find((text) => text === pong('1'));
    const other = await connect({ port: stage.port, path: '/other' });
    other.client.send(ping('1'));
    await other.received.find((text) => text === pong('1'));
    expect(stage.server.clients.size).toBe(2);
    expect(stage.log.entries).toEqual([]);
  });
});

/** Its Close frame is lost, as on a dead link. */
class Speechless extends WebSocket {
  override close(): void {
    this.terminate();
  }
}

describe('a client of ours', () => {
  it('ends its older connection by its newer one with no option on either side', async () => {
    const stage = await serve();
    const port = await listenWithoutEnds(stage.port);
    const opened: Log<true> = new Log();
    const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${port}`, [], {
      WebSocket: Speechless as unknown as WebSocketConstructor,
    });
    atEnd(() => socket.close());
    socket.addEventListener('open', () => opened.push(true));
    await opened.find();
    await stage.pongs.find((tier) => tier === 'application'); // it has spoken, and is bound
    const older = await onlyConnection(stage);
    const closed = once(older.socket, 'close');
    socket.reconnect();
    await opened.find(() => true, 2);
    expect((await closed).map(String)).toEqual(['1006', '']);
    expect(stage.log.entries).toEqual([
      ['end', { reason: 'replaced', code: undefined, text: 'a newer connection took its place' }],
    ]);
    expect(stage.heartbeat.connections.size).toBe(1);
  });

  it('replaces its own connection while that is suspect, and the application hears one of them', async () => {
    const stage = await serve({ session: { user: () => 'ann' } });
    const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${stage.port}`, [], {
      pingInterval: 1_000 * MS,
      pingTimeout: 3_000 * MS,
      jitter: 0,
    });
    atEnd(() => socket.close());
    const opened: Log<true> = new Log();
    socket.addEventListener('open', () => opened.push(true));
    await opened.find();
    const older = await onlyConnection(stage);
    await stage.pongs.find((tier) => tier === 'application'); // it has spoken, and is bound
    const { socket: tcp } = older;
    tcp.pause(); // the server does not read it any more
    await stage.log.find(([name]) => name === 'end');
    await opened.find(() => true, 2);
    socket.send('by the newer');
    await stage.log.find(([name]) => name === 'message');
    expect(stage.log.entries.filter(([name]) => name !== 'suspect')).toEqual([
      ['end', { reason: 'replaced', code: undefined, text: 'a newer connection took its place' }],
      ['message', 'by the newer'],
    ]);
    expect(stage.server.clients.size).toBe(1);
  });
});
