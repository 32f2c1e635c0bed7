// The official clients of Phoenix and SignalR, whose servers do not run here, over sockets with a heartbeat,
// to a server that speaks their protocol with our dialects.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { attachHeartbeat, type SocketHeartbeat } from '@wirebeat/client';
import { type Dialect, phoenix, signalR } from '@wirebeat/core/dialects';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { MS } from '../allowance.ts';

const TIMING = { pingInterval: 200 * MS, pingTimeout: 500 * MS };
const OFFICIAL_INTERVAL = 150 * MS; // of the heartbeat of the official client
const SEPARATOR = '\u001e';

/** A server of the protocol that answers what is no heartbeat with `answer`. */
async function serve(dialect: Dialect, answer: (message: string) => string | undefined) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const received: string[] = [];
  /** The heartbeats that the dialect has read. */
  const beats: string[] = [];
  server.on('connection', (socket) => {
    const session = dialect.open('server');
    socket.on('message', (data) => {
      received.push(String(data));
      const reading = session.receive(String(data));
      for (const beat of reading?.beats ?? []) {
        beats.push(beat.kind);
        if (beat.kind === 'ping' && beat.answer !== undefined) socket.send(beat.answer);
      }
      const rest = reading === undefined ? String(data) : reading.rest;
      const text = rest === undefined ? undefined : answer(String(rest));
      if (text === undefined) return;
      session.sent(text);
      socket.send(text);
    });
    const timer = setInterval(() => {
      const beat = session.ping('1');
      if (dialect.server.beats && beat !== undefined) socket.send(beat);
    }, OFFICIAL_INTERVAL);
    socket.on('close', () => clearInterval(timer));
  });
  await once(server, 'listening');
  const proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { proxy, received, beats, url: `ws://127.0.0.1:${proxy.port}` };
}

/** A class of sockets with a heartbeat. */
function watchedSockets(dialect: Dialect) {
  const heartbeats: SocketHeartbeat[] = [];
  class WatchedSocket extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols ?? []);
      heartbeats.push(attachHeartbeat(this as never, { ...TIMING, dialect }));
    }
  }
  return { WatchedSocket, heartbeats };
}

const pause = (intervals: number) =>
  new Promise((resolve) => setTimeout(resolve, intervals * OFFICIAL_INTERVAL));

interface PhoenixSocket {
  connect(): void;
  disconnect(): void;
  channel(topic: string): {
    join(): { receive(status: string, call: () => void): unknown };
  };
}

describe('the client of Phoenix', () => {
  it('stays connected, is measured, and is found dead within the bound', async () => {
    const { Socket } = createRequire(import.meta.url)('phoenix') as {
      Socket: new (url: string, options: object) => PhoenixSocket;
    };
    const dialect = phoenix();
    const { WatchedSocket, heartbeats } = watchedSockets(dialect);
    const { url, proxy, beats, received } = await serve(dialect, (message) => {
      const [joinRef, ref, topic] = JSON.parse(message) as string[];
      return JSON.stringify([joinRef, ref, topic, 'phx_reply', { status: 'ok', response: {} }]);
    });
    const socket = new Socket(url, {
      transport: WatchedSocket,
      heartbeatIntervalMs: OFFICIAL_INTERVAL,
      reconnectAfterMs: () => OFFICIAL_INTERVAL,
    });
    onTestFinished(() => socket.disconnect());
    socket.connect();
    await new Promise<void>((resolve) => socket.channel('room').join().receive('ok', resolve));
    await pause(6);
    expect(heartbeats).toHaveLength(1); // neither heartbeat has ended the connection
    const heartbeat = heartbeats[0] as SocketHeartbeat;
    expect(heartbeat.latency).toBeGreaterThan(0);
    expect(beats.length).toBeGreaterThan(5); // those of the client too
    expect(received.filter((message) => message.includes('\u0005'))).toEqual([]);

    const dead = once(heartbeat as never, 'dead');
    const { detectionBound } = heartbeat;
    proxy.cut();
    const [{ silentFor }] = (await dead) as [{ silentFor: number }];
    expect(silentFor).toBeLessThanOrEqual(detectionBound + 1_000 * MS);
    await expect.poll(() => heartbeats[1]?.latency).toBeGreaterThan(0); // it has reconnected
  });
});

describe('the client of SignalR', () => {
  it('stays connected to a server with our beats, and the dialect reads its beats', async () => {
    const { WatchedSocket, heartbeats } = watchedSockets(signalR);
    const { url, beats, received } = await serve(signalR, (message) => {
      if (message.includes('"protocol"')) return `{}${SEPARATOR}`;
      const { invocationId, arguments: args } = JSON.parse(message.replace(SEPARATOR, ''));
      if (invocationId === undefined) return undefined;
      return JSON.stringify({ type: 3, invocationId, result: args[0] }) + SEPARATOR;
    });
    const connection = new HubConnectionBuilder()
      .withUrl(url.replace('ws', 'http'), {
        skipNegotiation: true,
        transport: HttpTransportType.WebSockets,
        ...({ WebSocket: WatchedSocket } as object), // not among its types
      })
      .configureLogging(LogLevel.None)
      .build();
    connection.keepAliveIntervalInMilliseconds = OFFICIAL_INTERVAL;
    connection.serverTimeoutInMilliseconds = 5 * OFFICIAL_INTERVAL;
    onTestFinished(() => connection.stop());
    let isClosed = false;
    connection.onclose(() => (isClosed = true));
    await connection.start();
    expect(await connection.invoke('echo', '{"type":6}')).toBe('{"type":6}');
    await pause(12);
    expect(isClosed).toBe(false); // it has received our beats
    expect(beats.filter((kind) => kind === 'beat').length).toBeGreaterThan(5);
    expect(await connection.invoke('echo', 'again')).toBe('again');
    expect(received.filter((message) => message.includes('\u0005'))).toEqual([]);
    const [heartbeat] = heartbeats;
    expect(heartbeat?.status).toBe('alive');
    expect(heartbeat?.detectionBound).toBe(30_000 + 250 + 2 * 250);
  });
});
