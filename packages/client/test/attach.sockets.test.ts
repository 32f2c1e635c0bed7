import { getEventListeners } from 'node:events';
import { ConnectionClosedError, PeerMemory, PingTimeoutError } from '@wirebeat/core';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { attachHeartbeat, type SocketHeartbeat } from '../src/attach.ts';
import type { AttachOptions } from '../src/options.ts';
import { autoResponder, minimalPeer, silentPeer } from './fake-server.ts';
import { CLASSES, eventOf, Log, listen, MS, TestProxy, type TestServer } from './sockets.ts';

const PING = '\u0005wb';
const PONG = '\u0006wb';

interface Socket {
  readonly readyState: number;
  binaryType: string;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(data: unknown): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void;
  removeEventListener(type: string, listener: (event: { data: unknown }) => void): void;
}

describe.each(CLASSES)('attachHeartbeat on a socket of %s', (name, WebSocket) => {
  const cleanup: (() => unknown)[] = [];

  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  });

  const start = async (options?: Parameters<typeof listen>[0]): Promise<TestServer> => {
    const server = await listen(options);
    cleanup.push(() => server.close());
    return server;
  };
  const connect = (url: string): Socket => {
    const socket = new WebSocket(url) as Socket;
    cleanup.push(() => socket.close());
    return socket;
  };
  const attach = (socket: Socket, options?: AttachOptions): SocketHeartbeat => {
    const heartbeat = attachHeartbeat(socket, options);
    cleanup.push(() => heartbeat.detach());
    return heartbeat;
  };
  const next = (heartbeat: SocketHeartbeat, event: 'pong' | 'dead' | 'suspect') => {
    const log: Log<{ latency?: number; silentFor?: number }> = new Log();
    heartbeat.on(event, (detail: object) => log.push(detail));
    return log;
  };

  it('gets its first pong from @wirebeat/server at once, and answers its pings', async () => {
    const server = await start();
    const heartbeat = attach(connect(server.url));
    const { latency } = await next(heartbeat, 'pong').find();
    expect(latency).toBeGreaterThanOrEqual(0);
    expect(heartbeat.status).toBe('alive');
    expect(heartbeat.latency).toBe(latency);
    const accepted = await server.connection();
    const connection = server.heartbeat.get(accepted);
    expect(await connection?.ping({ tier: 'application' })).toBeGreaterThanOrEqual(0);
    expect(await connection?.ping({ tier: 'transport' })).toBeGreaterThanOrEqual(0);
    expect(server.received.entries).toEqual([]);
  });

  it('tells a Close frame of the peer from one that the application has asked for', async () => {
    const server = await start({ answer: silentPeer });
    for (const code of [undefined, 4001]) {
      const memory = new PeerMemory();
      for (const closer of ['peer', 'application', 'peer'] as const) {
        expect(memory.speaks).toBe(true);
        const socket = connect(server.url);
        const heartbeat = attach(socket, { memory });
        await eventOf(socket, 'open');
        const accepted = await server.connection(server.accepted.entries.length || 1);
        const closed = eventOf(socket, 'close');
        if (closer === 'peer') accepted.close(code);
        else socket.close(code);
        await closed;
        expect(heartbeat.isRefused).toBe(closer === 'peer');
      }
      expect(memory.refuses).toBe(true);
    }
  });

  it('goes on pinging every pingInterval', async () => {
    const server = await start();
    const heartbeat = attach(connect(server.url), { pingInterval: 20 * MS });
    await next(heartbeat, 'pong').find(() => true, 4);
    expect(server.received.entries).toEqual([]);
  });

  it('lives with a peer of five lines', async () => {
    const server = await start({ answer: minimalPeer });
    const socket = connect(server.url);
    const heartbeat = attach(socket, { pingInterval: 20 * MS });
    await next(heartbeat, 'pong').find(() => true, 3);
    expect(await heartbeat.ping()).toBeGreaterThanOrEqual(0);
  });

  it('lives with a peer that answers only the bare ping', async () => {
    const server = await start({ answer: autoResponder });
    const options = { pingInterval: 50 * MS, pingTimeout: 300 * MS };
    const heartbeat = attach(connect(server.url), options);
    const { latency } = await next(heartbeat, 'pong').find(() => true, 2);
    expect(latency).toBeLessThan(300 * MS);
    expect(heartbeat.status).toBe('alive');
    expect(await heartbeat.ping()).toBeGreaterThanOrEqual(0);
    expect(server.received.entries).toEqual([`${PING}.1;v=1`]); // no id after it
  });

  it('hides beats from listeners of every kind, added before and after', async () => {
    const server = await start();
    const socket = connect(server.url);
    const [before, handler, after, emitter]: unknown[][] = [[], [], [], []];
    const last: Log<unknown> = new Log();
    if (socket instanceof NodeWebSocket) {
      socket.on('message', (data) => emitter?.push(String(data)));
    }
    socket.addEventListener('message', ({ data }) => before?.push(data));
    socket.onmessage = ({ data }) => handler?.push(data);
    const heartbeat = attach(socket);
    socket.addEventListener('message', ({ data }) => after?.push(data));
    await heartbeat.ping().catch(() => eventOf(socket, 'open'));
    await heartbeat.ping();
    socket.addEventListener('message', ({ data }) => last.push(data));
    const accepted = await server.connection();
    for (const message of [PING, 'one', `${PING}.q;a=1`, PONG, `${PONG}.none`, 'two']) {
      accepted.send(message);
    }
    await last.find((data) => data === 'two');
    const all = ['one', 'two'];
    expect([before, handler, after]).toEqual([all, all, all]);
    expect(emitter).toEqual(name === 'ws' ? all : []);
  });

  it('passes everything else on: in order and untouched', async () => {
    const server = await start();
    const socket = connect(server.url);
    socket.binaryType = 'arraybuffer';
    const seen: Log<unknown> = new Log();
    attach(socket);
    socket.addEventListener('message', ({ data }) => seen.push(data));
    await eventOf(socket, 'open');
    const accepted = await server.connection();
    const messages = [
      '',
      'text',
      '\u0005',
      '\u0005wbx',
      '\u0006wb;a',
      `${PING}.12345678901234567`,
      `${PING};${'a=1;'.repeat(40)}`,
      'ünï\u{1f600}',
      Buffer.from(PING), // binary: not of the dialect
      Buffer.alloc(0),
      Buffer.alloc(70_000, 7),
      'last',
    ];
    for (const message of messages) accepted.send(message);
    await seen.find((data) => data === 'last');
    expect(
      seen.entries.map((data) => (data instanceof ArrayBuffer ? Buffer.from(data) : data)),
    ).toEqual(messages);
  });

  it('passes binary messages on in the type that is asked for', async () => {
    const server = await start();
    const socket = connect(server.url);
    const seen: Log<unknown> = new Log();
    attach(socket);
    socket.onmessage = ({ data }) => seen.push(data);
    await eventOf(socket, 'open');
    (await server.connection()).send(Buffer.from(PING));
    const data = await seen.find();
    if (name === 'ws') expect(data).toEqual(Buffer.from(PING));
    else expect(await (data as Blob).text()).toBe(PING);
  });

  it('passes on what the application sends, in order and untouched', async () => {
    const server = await start();
    const socket = connect(server.url);
    attach(socket);
    await eventOf(socket, 'open');
    for (const message of ['one', '\u0005wbx', Buffer.from('two'), '', 'last'])
      socket.send(message);
    await server.received.find((text) => text === 'last');
    expect(server.received.entries).toEqual(['one', '\u0005wbx', 'two', '', 'last']);
  });

  it('rejects ping() on timeout, on close, on abort and before the open', async () => {
    const server = await start({ answer: silentPeer });
    const socket = connect(server.url);
    const heartbeat = attach(socket);
    await expect(heartbeat.ping()).rejects.toBeInstanceOf(ConnectionClosedError);
    await eventOf(socket, 'open');
    const timedOut = heartbeat.ping({ timeout: 10 * MS });
    await expect(timedOut).rejects.toBeInstanceOf(PingTimeoutError);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(heartbeat.ping({ signal })).rejects.toThrow('enough');
    const closed = heartbeat.ping();
    closed.catch(() => {});
    (await server.connection()).close(4001, 'bye');
    await expect(closed).rejects.toMatchObject({ closeCode: 4001, reason: 'bye' });
  });

  if (name === 'ws') {
    it('takes a protocol Ping for life, where the class tells', async () => {
      const server = await start({ answer: silentPeer });
      const socket = connect(server.url);
      const heartbeat = attach(socket);
      await eventOf(socket, 'open');
      const opened = heartbeat.lastReceived;
      await new Promise((resolve) => setTimeout(resolve, 2)); // instants are kept in whole ms
      (await server.connection()).ping();
      await new Promise((resolve) => (socket as unknown as NodeWebSocket).once('ping', resolve));
      expect(heartbeat.lastReceived).toBeGreaterThan(opened);
    });
  }

  it('attaches to a socket that is open already', async () => {
    const server = await start();
    const socket = connect(server.url);
    await eventOf(socket, 'open');
    const heartbeat = attach(socket);
    expect(heartbeat.status).toBe('alive');
    expect(await heartbeat.ping()).toBeGreaterThanOrEqual(0);
  });

  it('leaves no trace when it is detached: the socket goes on', async () => {
    const server = await start();
    const socket = connect(server.url);
    const seen: Log<unknown> = new Log();
    socket.onmessage = ({ data }) => seen.push(data);
    await eventOf(socket, 'open');
    const traces = () => [
      Reflect.ownKeys(socket).filter((key) => typeof key === 'string'),
      ['open', 'message', 'close', 'error', 'ping', 'pong'].map((type) =>
        socket instanceof NodeWebSocket
          ? socket.listenerCount(type)
          : getEventListeners(socket as never, type).length,
      ),
    ];
    const before = traces();
    const heartbeat = attachHeartbeat(socket);
    await heartbeat.ping();
    expect(traces()).not.toEqual(before);
    heartbeat.detach();
    expect(traces()).toEqual(before);
    expect(socket.readyState).toBe(1);
    (await server.connection()).send(PING); // nobody hides it now
    expect(await seen.find()).toBe(PING);
    expect(heartbeat.status).toBe('idle');
  });

  it('finds out that the link is cut, and ends the socket', async () => {
    const server = await start();
    const proxy = await TestProxy.to(server.port);
    cleanup.push(() => proxy.close());
    const socket = connect(proxy.url);
    const closed: Log<number> = new Log();
    socket.addEventListener('close', (event) =>
      closed.push((event as { code?: number }).code ?? 0),
    );
    const timing = { pingInterval: 40 * MS, pingTimeout: 80 * MS, suspectAfter: 80 * MS };
    const heartbeat = attach(socket, timing);
    const stalls = next(heartbeat, 'stall' as never);
    const suspects = next(heartbeat, 'suspect');
    const deaths = next(heartbeat, 'dead');
    await next(heartbeat, 'pong').find(() => true, 2);
    const told: Log<number> = new Log();
    (await server.connection()).on('close', (code) => told.push(code));
    proxy.cut();
    const { detectionBound } = heartbeat;
    const { silentFor } = await deaths.find();
    expect(suspects.entries).toHaveLength(1);
    expect(silentFor).toBeGreaterThanOrEqual(80 * MS);
    if (stalls.entries.length === 0) expect(silentFor).toBeLessThanOrEqual(detectionBound);
    expect(heartbeat.status).toBe('dead');
    if (name === 'ws') {
      expect(await closed.find()).toBe(1006); // terminated: at once, although the link is still cut
    } else {
      expect(socket.readyState).toBe(2); // and there it stays, until the close code arrives
      proxy.mend();
      expect(await told.find()).toBe(3008);
    }
  });
});
