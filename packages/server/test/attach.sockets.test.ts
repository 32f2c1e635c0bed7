import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { attachHeartbeat as attachToClient } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachHeartbeat } from '../src/attach.ts';
import { connect, onlyConnection, serve, until } from './server-side.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const QUICK = { pingInterval: 200, pingTimeout: 200, jitter: 0 };

describe('an application ping', () => {
  it('is answered with its own id, and no listener of the application sees it', async () => {
    const stage = await serve();
    const { client, received } = await connect(stage);
    const [socket] = stage.server.clients;
    socket?.prependListener('message', (data) => stage.log.push(['early', String(data)]));
    for (const ping of [PING, `${PING}.x7;v=1`]) client.send(ping);
    client.send('text');
    await until(() => stage.log.some(([name]) => name === 'message'));
    await until(() => received.length >= 3);
    expect(received.filter((text) => text.startsWith('\u0006'))).toEqual([PONG, `${PONG}.x7`]);
    expect(stage.log).toEqual([
      ['early', 'text'],
      ['message', 'text'],
    ]);
  });

  it('is answered uncompressed, where messages are compressed', async () => {
    const stage = await serve({}, { perMessageDeflate: { threshold: 0 } });
    const { client, received } = await connect(stage);
    const socket = [...stage.server.clients][0] as WebSocket;
    const compressed: unknown[] = [];
    const { _sender: sender } = socket as unknown as {
      _sender: { send: (...args: unknown[]) => void };
    };
    const { send } = sender;
    sender.send = (data, options, ...rest) => {
      compressed.push((options as { compress: boolean }).compress);
      send.call(sender, data, options, ...rest);
    };
    client.send(PING);
    await until(() => received.includes(PONG));
    expect(compressed).not.toContain(true);
  });

  it('gets no bytes of its own into the application, whatever it looks like', async () => {
    const stage = await serve();
    const { client } = await connect(stage);
    const messages = [
      '\u0005',
      '\u0005\u0005',
      `${PING}x`,
      `${PING};a=1;a=2`,
      ` ${PING}`,
      `${PING}\n`,
      '',
    ];
    for (const message of messages) client.send(message);
    client.send(Buffer.from(PING)); // binary: a beat is text
    await until(() => stage.log.length > messages.length);
    expect(stage.log).toEqual([
      ...messages.map((message) => ['message', message]),
      ['message', Buffer.from(PING)],
    ]);
  });
});

describe('a client that knows nothing of heartbeats', () => {
  it('lives by its protocol Pongs, and is sent no message', async () => {
    const stage = await serve(QUICK);
    const { received } = await connect(stage);
    const connection = await onlyConnection(stage);
    const pongs: unknown[] = [];
    stage.heartbeat.on('pong', ({ tier, latency }) => pongs.push([tier, latency >= 0]));
    await until(() => pongs.length >= 4);
    expect(new Set(pongs.map(String))).toEqual(new Set(['transport,true']));
    expect(received).toEqual([]);
    expect(stage.log).toEqual([]); // our Pongs are not the application's
    expect(connection.transportLatency).toBeGreaterThanOrEqual(0);
    expect(connection.applicationLatency).toBeUndefined();
    await expect(connection.ping({ tier: 'application' })).rejects.toThrow('no application ping');
  });

  it('keeps its own Pings and Pongs, and the application those of its own', async () => {
    const stage = await serve();
    const { client } = await connect(stage);
    const [socket] = stage.server.clients;
    client.ping('from the client');
    socket?.ping('from the application');
    await until(() => stage.log.length >= 2);
    expect(stage.log.sort()).toEqual([
      ['ping', 'from the client'],
      ['pong', 'from the application'],
    ]);
  });

  it('lives while it sends, though it answers no Ping', async () => {
    const stage = await serve(QUICK);
    const { client } = await connect(stage, { autoPong: false });
    const chatter = setInterval(() => client.send('text'), 50);
    await until(() => stage.log.filter(([name]) => name === 'message').length >= 30);
    clearInterval(chatter);
    expect(stage.log.map(([name]) => name)).not.toContain('dead');
  });
});

describe('a client that speaks', () => {
  it('is measured in both tiers, at once and on demand', async () => {
    const stage = await serve();
    const { client } = await connect(stage);
    const beats = attachToClient(client);
    const connection = await onlyConnection(stage);
    await until(() => connection.applicationLatency !== undefined);
    await until(() => connection.transportLatency !== undefined);
    expect(await connection.ping()).toBeGreaterThanOrEqual(0);
    expect(await connection.ping({ tier: 'application' })).toBeGreaterThanOrEqual(0);
    expect(stage.log).toEqual([]);
    beats.detach();
  });
});

describe('a peer that is gone', () => {
  it('is suspect, dead, terminated and ended once, within the bound', async () => {
    const stage = await serve(QUICK);
    const { client } = await connect(stage, { autoPong: false });
    const connection = await onlyConnection(stage);
    const heard = performance.now();
    await until(() => stage.log.some(([name]) => name === 'end'));
    expect(performance.now() - heard).toBeLessThanOrEqual(connection.detectionBound + 250);
    await until(() => stage.server.clients.size === 0);
    expect(stage.log).toEqual([
      ['suspect'],
      ['dead'],
      ['end', { reason: 'ping-timeout', code: undefined, text: '' }],
    ]);
    expect(stage.heartbeat.connections.size).toBe(0);
    if (client.readyState !== WebSocket.CLOSED) await once(client, 'close');
  });

  it('is so for a raw connection that shakes hands and then says nothing', async () => {
    const stage = await serve(QUICK);
    const tcp = connectTcp(stage.port, '127.0.0.1');
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    tcp.write(
      `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    tcp.resume();
    await until(() => stage.log.some(([name]) => name === 'end'));
    expect(stage.log.at(-1)).toEqual([
      'end',
      { reason: 'ping-timeout', code: undefined, text: '' },
    ]);
    if (!tcp.closed) await once(tcp, 'close');
  });

  it('rejects the pings that wait for it, and later ones', async () => {
    const stage = await serve();
    const { client } = await connect(stage, { autoPong: false });
    const connection = await onlyConnection(stage);
    const ping = connection.ping();
    client.close(4001, 'bye');
    await expect(ping).rejects.toMatchObject({ closeCode: 4001, reason: 'bye' });
    await expect(connection.ping()).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
    expect(stage.log).toEqual([['end', { reason: 'closed', code: 4001, text: 'bye' }]]);
  });
});

describe('detach', () => {
  it('leaves no trace: listeners, properties and sockets are as before', async () => {
    const stage = await serve({}, {});
    const { client, received } = await connect(stage);
    const connection = await onlyConnection(stage);
    await until(() => connection.transportLatency !== undefined); // no Pong of ours is on its way
    const [socket] = stage.server.clients;
    stage.heartbeat.detach();
    stage.heartbeat.detach();
    expect(stage.server.listenerCount('connection')).toBe(1);
    expect(socket?.listenerCount('close')).toBe(1); // that of `ws`
    expect(Reflect.ownKeys(socket as object)).not.toContain('emit');
    expect(Reflect.ownKeys(socket as object)).not.toContain('send');
    expect(stage.heartbeat.connections.size).toBe(0);
    expect(stage.heartbeat.get(socket as WebSocket)).toBeUndefined();
    client.send(PING);
    await until(() => stage.log.some(([name]) => name === 'message'));
    expect(stage.log).toEqual([
      ['end', { reason: 'detached', code: undefined, text: 'the heartbeat was detached' }],
      ['message', PING],
    ]);
    expect(received).toEqual([]);
    const late = await connect(stage);
    late.client.send(PING);
    await until(() => stage.log.length >= 3);
    expect(stage.log.at(-1)).toEqual(['message', PING]);
  });
});

describe('attachHeartbeat', () => {
  it('takes up the connections that are open already', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const port = (server.address() as AddressInfo).port;
    const { client, received } = await connect({ port });
    const heartbeat = attachHeartbeat(server);
    expect(heartbeat.connections.size).toBe(1);
    client.send(PING);
    await until(() => received.includes(PONG));
    heartbeat.detach();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });

  it('works for a server without port and without the list of its clients', async () => {
    const http = createServer();
    const server = new WebSocketServer({ noServer: true, clientTracking: false });
    const heartbeat = attachHeartbeat(server);
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (client) =>
        server.emit('connection', client, request),
      );
    });
    await once(http.listen(0, '127.0.0.1'), 'listening');
    const { client, received } = await connect({ port: (http.address() as AddressInfo).port });
    client.send(PING);
    await until(() => received.includes(PONG));
    heartbeat.detach();
    client.terminate();
    await once(http.close(), 'close');
  });

  it('does no harm where it was called twice', async () => {
    const stage = await serve();
    const second = attachHeartbeat(stage.server);
    const { client, received } = await connect(stage);
    client.send(PING);
    client.send('text');
    await until(() => stage.log.length > 0);
    expect(received.filter((text) => text === PONG)).toEqual([PONG]);
    expect(stage.log).toEqual([['message', 'text']]);
    second.detach();
  });

  it('goes on when a listener throws, and its error is reported', async () => {
    const stage = await serve();
    const reported = once(process, 'unhandledRejection');
    stage.heartbeat.on('alive', () => {
      throw new Error('of a listener');
    });
    const { client, received } = await connect(stage);
    expect((await reported)[0]).toMatchObject({ message: 'of a listener' });
    client.send(PING);
    await until(() => received.includes(PONG));
  });

  it('forgets a thousand connections that have closed', { timeout: 30_000 }, async () => {
    const stage = await serve();
    for (let round = 0; round < 10; round += 1) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => connect(stage)));
      for (const { client } of clients) client.close();
      await until(() => stage.heartbeat.connections.size === 0);
    }
    expect(stage.log.filter(([name]) => name === 'end')).toHaveLength(1_000);
  });

  it.each([
    [{ pingInterval: -1 }, 'pingInterval'],
    [{ pingTimeout: '5s' }, 'pingTimeout'],
    [{ interval: 5 }, 'interval'],
  ])('refuses %o, and says why', (options, name) => {
    const server = new WebSocketServer({ noServer: true });
    const attach = () => attachHeartbeat(server, options as never);
    expect(attach).toThrow(`Expected \`${name}\` to be`);
    expect(server.listenerCount('connection')).toBe(0);
  });

  it('refuses what is no server', () => {
    expect(() => attachHeartbeat({} as never)).toThrow('Expected `server` to be a WebSocketServer');
  });
});
