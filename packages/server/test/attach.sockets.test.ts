import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attachHeartbeat as attachToClient } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { attachHeartbeat } from '../src/attach.ts';
import {
  allowance,
  atEnd,
  connect,
  type Happening,
  Log,
  listen,
  MS,
  onlyConnection,
  RawClient,
  serve,
} from './server-side.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';
const QUICK = { pingInterval: 100 * MS, pingTimeout: 100 * MS, jitter: 0 };

const isNamed =
  (name: Happening[0]) =>
  ([other]: Happening): boolean =>
    other === name;
const isMessage = isNamed('message');

describe('an application ping', () => {
  it('is answered with its own id, and no listener of the application sees it', async () => {
    const server = await listen();
    const seen: [by: string, data: unknown][] = [];
    const last: Log<unknown> = new Log();
    server.on('connection', (socket) => {
      socket.on('message', (data) => seen.push(['before attach', String(data)]));
      socket.onmessage = ({ data }) => seen.push(['handler', data]);
    });
    const { client, received } = await connect(server.address() as AddressInfo);
    if (server.clients.size === 0) await once(server, 'connection');
    const [socket] = server.clients;
    const heartbeat = attachHeartbeat(server); // takes up what is open already
    atEnd(() => heartbeat.detach());
    socket?.prependListener('message', (data) => seen.push(['first of all', String(data)]));
    socket?.addEventListener('message', ({ data }) => seen.push(['after attach', data]));
    socket?.on('message', (data) => last.push(data));
    for (const text of [PING, `${PING}.x7;v=1`, 'text']) client.send(text);
    await last.find();
    await received.find((text) => text.startsWith('\u0006'), 2);
    expect(received.entries.filter((text) => text.startsWith('\u0006'))).toEqual([
      PONG,
      `${PONG}.x7`,
    ]);
    expect(seen).toEqual([
      ['first of all', 'text'],
      ['before attach', 'text'],
      ['handler', 'text'],
      ['after attach', 'text'],
    ]);
    expect(last.entries).toHaveLength(1);
  });

  it('is answered uncompressed, where messages are compressed', async () => {
    const stage = await serve({}, { perMessageDeflate: { threshold: 0 } });
    const client = new RawClient(stage, 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
    const { socket } = await onlyConnection(stage);
    socket.send('to be compressed');
    client.sendText(PING);
    const beats = await Promise.all(
      [PONG, `${PING}.1`].map((beat) =>
        client.frames.find(({ payload }) => String(payload) === beat),
      ),
    );
    const texts = client.frames.entries.filter(({ opcode }) => opcode === 1);
    expect(texts.map(({ isCompressed }) => isCompressed)).toEqual([true, false, false]);
    expect(beats.map(({ isCompressed }) => isCompressed)).toEqual([false, false]);
  });

  it('is answered whatever type of binary messages the application has asked for', async () => {
    for (const binaryType of ['nodebuffer', 'arraybuffer', 'fragments'] as const) {
      const stage = await serve();
      const { client, received } = await connect(stage);
      const { socket } = await onlyConnection(stage);
      socket.binaryType = binaryType;
      client.send(PING);
      client.send(Buffer.from(PING));
      const [, data] = (await stage.log.find(isMessage)) as ['message', unknown];
      await received.find((text) => text === PONG);
      const bytes = binaryType === 'fragments' ? Buffer.concat(data as Buffer[]) : data;
      expect(Buffer.from(bytes as ArrayBuffer)).toEqual(Buffer.from(PING));
    }
  });

  it('hides no other message from the application, whatever it looks like', async () => {
    const stage = await serve();
    const { client } = await connect(stage);
    const messages = [
      '\u0005', // Ctrl-E of a terminal
      '\u0005\u0005',
      '\u0005w',
      `${PING}x`,
      `${PING};a=1;a=2`,
      ` ${PING}`,
      `${PING}\n`,
      `${PONG}.`,
      `${PING}.${'x'.repeat(2_000)}`,
      '',
      'text',
      Buffer.from([5]),
      Buffer.from(PING),
      Buffer.from(`${PING}.1;v=1`),
      Buffer.from(PONG),
    ];
    for (const message of messages) client.send(message);
    await stage.log.find(isMessage, messages.length);
    expect(stage.log.entries).toEqual(messages.map((message) => ['message', message]));
  });
});

describe('a client that knows nothing of heartbeats', () => {
  it('stays alive by its Pongs alone, has a latency, and receives no message', async () => {
    const stage = await serve(QUICK);
    const { received } = await connect(stage);
    const { connection } = await onlyConnection(stage);
    await stage.pongs.find(() => true, 6);
    expect(new Set(stage.pongs.entries)).toEqual(new Set(['transport']));
    expect(connection.transportLatency).toBeGreaterThan(0);
    expect(connection.applicationLatency).toBeUndefined();
    expect(await connection.ping()).toBeGreaterThan(0);
    await expect(connection.ping({ tier: 'application' })).rejects.toThrow('no application ping');
    expect(received.entries).toEqual([]);
    expect(stage.log.entries).toEqual([]); // our Pongs are not the application's
  });

  it('gets its Pings answered, and the application receives the Pongs to its own Pings', async () => {
    const stage = await serve();
    const { client } = await connect(stage);
    const { socket } = await onlyConnection(stage);
    await stage.pongs.find();
    client.ping('from the client');
    socket.ping('x');
    socket.ping();
    await stage.log.find(isNamed('pong'), 2);
    await stage.log.find(isNamed('ping'));
    expect([...stage.log.entries].sort()).toEqual([
      ['ping', 'from the client'],
      ['pong', ''],
      ['pong', 'x'],
    ]);
  });

  it('stays alive while it sends anything, even if it answers no Ping', async () => {
    const stage = await serve(QUICK);
    const manners = [
      (client: WebSocket) => client.send('text'),
      (client: WebSocket) => client.send(Buffer.from([5])),
      (client: WebSocket) => client.ping(),
      (client: WebSocket) => client.pong(),
    ];
    const clients = await Promise.all(manners.map(() => connect(stage, { autoPong: false })));
    const chatter = setInterval(() => {
      for (const [index, { client }] of clients.entries()) manners[index]?.(client);
    }, 30 * MS);
    atEnd(() => clearInterval(chatter));
    await sleep(4 * (QUICK.pingInterval + QUICK.pingTimeout) + 250);
    expect(stage.log.entries.some(isNamed('dead'))).toBe(false);
    expect(stage.heartbeat.connections.size).toBe(manners.length);
    expect(stage.pongs.entries).toEqual([]);
  });

  it('is dead with reason one-way if it still sends but no longer answers', async () => {
    const stage = await serve(QUICK);
    const { client } = await connect(stage, { autoPong: false });
    client.once('ping', (data) => client.pong(data));
    const chatter = setInterval(() => client.send('text'), 30 * MS);
    atEnd(() => clearInterval(chatter));
    await stage.log.find(isNamed('end'));
    expect(stage.pongs.entries).toHaveLength(1);
    expect(stage.log.entries.filter(isNamed('end'))).toEqual([
      ['end', { reason: 'one-way', code: undefined, text: '' }],
    ]);
  });
});

describe('a client that speaks', () => {
  it('has a latency in both tiers, at once and on demand', async () => {
    const stage = await serve();
    const { client } = await connect(stage);
    const beats = attachToClient(client);
    const { connection } = await onlyConnection(stage);
    await stage.pongs.find((tier) => tier === 'application');
    await stage.pongs.find((tier) => tier === 'transport');
    expect(connection.applicationLatency).toBeGreaterThan(0);
    expect(connection.transportLatency).toBeGreaterThan(0);
    expect(await connection.ping()).toBeGreaterThan(0);
    expect(await connection.ping({ tier: 'application' })).toBeGreaterThan(0);
    expect(await beats.ping()).toBeGreaterThan(0);
    expect(stage.log.entries).toEqual([]);
    beats.detach();
  });
});

describe('a peer that is gone', () => {
  it.each([
    [
      'a raw connection that shakes hands, reads, and says nothing',
      async (port: number) => {
        const { tcp } = new RawClient({ port });
        return new Promise<void>((resolve) => tcp.once('close', () => resolve()));
      },
    ],
    [
      'a client that answered until it was cut off',
      async (port: number) => {
        const { client } = await connect({ port });
        await once(client, 'ping');
        client.pause(); // it reads no more; its kernel goes on acknowledging
      },
    ],
  ])('is suspect, dead, terminated and ended once: %s', async (_, open) => {
    const stage = await serve(QUICK);
    const closed = open(stage.port);
    const { connection } = await onlyConnection(stage);
    const { detectionBound } = connection;
    const [, silentFor] = (await stage.log.find(isNamed('dead'))) as ['dead', number];
    expect(silentFor).toBeGreaterThanOrEqual(QUICK.pingTimeout);
    expect(silentFor).toBeLessThanOrEqual(
      detectionBound + allowance(stage.stalls, QUICK.pingTimeout),
    );
    await closed;
    if (stage.server.clients.size > 0) {
      const [socket] = stage.server.clients;
      await once(socket as WebSocket, 'close');
    }
    expect(stage.log.entries.filter(([name]) => name !== 'suspect')).toEqual([
      ['dead', silentFor],
      ['end', { reason: 'ping-timeout', code: undefined, text: '' }],
    ]);
    expect(stage.log.entries[0]).toEqual(['suspect']);
    expect(stage.heartbeat.connections.size).toBe(0);
  });

  it('ends once, even if it closes around the moment of the verdict', async () => {
    const stage = await serve(QUICK);
    const COUNT = 20;
    const opened = performance.now();
    const clients = Array.from({ length: COUNT }, () => new RawClient(stage));
    // Never answered: the verdict comes at pingTimeout + 250 ms.
    const verdict = QUICK.pingTimeout + 250;
    for (const [index, { tcp }] of clients.entries()) {
      const at = opened + verdict + (index - COUNT / 2) * 4;
      setTimeout(() => tcp.destroy(), at - performance.now());
    }
    await stage.log.find(isNamed('end'), COUNT);
    await sleep(100 * MS);
    expect(stage.log.entries.filter(isNamed('end'))).toHaveLength(COUNT);
    expect(stage.heartbeat.connections.size).toBe(0);
  });

  it('is not dead if it closes, and gives the reason', async () => {
    const stage = await serve(QUICK);
    const { client } = await connect(stage);
    const { connection } = await onlyConnection(stage);
    await stage.pongs.find();
    client.pause(); // no Pong settles it
    const ping = connection.ping({ timeout: false });
    client.resume();
    client.close(4001, 'bye');
    await Promise.allSettled([ping]);
    expect((await stage.log.find(isNamed('end')))[1]).toEqual({
      reason: 'closed',
      code: 4001,
      text: 'bye',
    });
    await expect(connection.ping()).rejects.toMatchObject({ code: 'ERR_CONNECTION_CLOSED' });
    expect(stage.log.entries.some(isNamed('dead'))).toBe(false);
  });
});

describe('detach', () => {
  it('leaves no trace: listeners and properties are as before, and sockets stay open', async () => {
    const server = await listen();
    server.on('connection', (socket) => socket.on('error', () => {}));
    const { client, received } = await connect(server.address() as AddressInfo);
    if (server.clients.size === 0) await once(server, 'connection');
    const [socket] = server.clients as Set<WebSocket & { [name: string]: unknown }>;
    if (socket === undefined) throw new Error('there is no connection');
    const tracesOf = (emitter: WebSocket | WebSocketServer) => [
      Reflect.ownKeys(emitter).map(String).sort(),
      emitter.eventNames().map((name) => [name, emitter.listenerCount(name as 'error')]),
    ];
    const before = [tracesOf(server), tracesOf(socket)];
    const heartbeat = attachHeartbeat(server);
    expect([tracesOf(server), tracesOf(socket)]).not.toEqual(before);
    await new Promise((resolve) => heartbeat.once('pong', resolve));
    client.send(`${PING}.1`);
    await received.find();
    heartbeat.detach();
    heartbeat.detach();
    expect([tracesOf(server), tracesOf(socket)]).toEqual(before);
    expect(heartbeat.get(socket)).toBeUndefined();
    expect(socket.readyState).toBe(WebSocket.OPEN);
    const [data] = await Promise.all([once(socket, 'message'), client.send(PING)]);
    expect(String(data[0])).toBe(PING);
    const late = await connect(server.address() as AddressInfo);
    const [newest] = [...server.clients].slice(-1) as [WebSocket];
    const [message] = await Promise.all([once(newest, 'message'), late.client.send(PING)]);
    expect(String(message[0])).toBe(PING);
    expect(late.received.entries).toEqual([]);
  });
});

describe('attachHeartbeat', () => {
  it('works for a server without port and without the list of its clients', async () => {
    const http = createServer();
    const server = new WebSocketServer({ noServer: true, clientTracking: false });
    const heartbeat = attachHeartbeat(server);
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (client) => {
        server.emit('connection', client, request);
      });
    });
    await once(http.listen(0, '127.0.0.1'), 'listening');
    atEnd(() => http.close());
    const { client, received } = await connect(http.address() as AddressInfo);
    client.send(PING);
    await received.find((text) => text === PONG);
    expect(heartbeat.connections.size).toBe(1);
    const ended = new Promise((resolve) => heartbeat.once('end', resolve));
    client.close(1000, 'done');
    expect(await ended).toMatchObject({ reason: 'closed', code: 1000, text: 'done' });
  });

  it('does no harm if it is called twice', async () => {
    const stage = await serve(QUICK);
    const second = attachHeartbeat(stage.server, QUICK);
    const pongs: Log<string> = new Log();
    second.on('pong', ({ tier }) => pongs.push(tier));
    const { client, received } = await connect(stage);
    client.send(PING);
    client.send('text');
    await received.find((text) => text === PONG);
    await stage.pongs.find((tier) => tier === 'transport', 5);
    await pongs.find((tier) => tier === 'transport', 5);
    expect(received.entries.filter((text) => text === PONG)).toEqual([PONG]);
    expect(stage.log.entries).toEqual([['message', 'text']]);
    second.detach();
  });

  it('keeps nothing of a thousand connections that have closed', {
    timeout: 30_000 * MS,
  }, async () => {
    const stage = await serve();
    const endings = [
      (client: WebSocket) => client.close(),
      (client: WebSocket) => client.terminate(),
    ];
    for (let round = 0; round < 10; round += 1) {
      const clients = await Promise.all(Array.from({ length: 100 }, () => connect(stage)));
      for (const [index, { client }] of clients.entries()) endings[index % 2]?.(client);
      await stage.log.find(isNamed('end'), 100 * (round + 1));
    }
    expect(stage.log.entries.filter(isNamed('end'))).toHaveLength(1_000);
    expect(stage.heartbeat.connections.size).toBe(0);
    expect(stage.server.clients.size).toBe(0);
  });

  it.each([
    ['destroyed', '0 watched\n'],
    ['open', '1 watched\n'],
  ])('keeps no process running: its connection is %s', async (connection, printed) => {
    const script = fileURLToPath(new URL('idle-server.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, connection], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 10_000 * MS,
    });
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += bytes;
    });
    expect(await once(child, 'close')).toEqual([0, null]); // by no signal
    expect(output).toBe(printed);
  });
});
