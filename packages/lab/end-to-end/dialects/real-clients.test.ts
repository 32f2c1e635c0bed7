// The official clients of Phoenix, SignalR, Pusher and Discord, whose servers do not run here, over sockets with a heartbeat,
// to a server that speaks their protocol with our dialects.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import {
  HttpTransportType,
  HubConnectionBuilder,
  HubConnectionState,
  LogLevel,
} from '@microsoft/signalr';
import { type AttachOptions, attachHeartbeat, type SocketHeartbeat } from '@wirebeat/client';
import { type Dialect, discord, phoenix, pusher, signalR } from '@wirebeat/core/dialects';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { MS } from '../allowance.ts';

const TIMING = { pingInterval: 200 * MS, pingTimeout: 500 * MS };
const OFFICIAL_INTERVAL = 150 * MS; // of the heartbeat of the official client
const SEPARATOR = '\u001e';

/** A server of the protocol that answers what is no heartbeat with `answer`. */
async function serve(
  dialect: Dialect,
  answer: (message: string) => string | undefined,
  greeting?: string,
) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const received: string[] = [];
  /** The heartbeats that the dialect has read. */
  const beats: string[] = [];
  server.on('connection', (socket) => {
    const session = dialect.open('server');
    if (greeting !== undefined) socket.send(greeting);
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
      const { server: role } = dialect;
      const beat = role.asks || role.beats ? session.ping('1') : undefined;
      if (beat !== undefined) socket.send(beat);
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
function watchedSockets(dialect: Dialect, options: AttachOptions = {}) {
  const heartbeats: SocketHeartbeat[] = [];
  class WatchedSocket extends WebSocket {
    constructor(url: string, protocols?: string | string[]) {
      super(url, protocols ?? []);
      heartbeats.push(attachHeartbeat(this as never, { ...TIMING, ...options, dialect }));
    }
  }
  return { WatchedSocket, heartbeats };
}

/** Cuts the connection silently. */
async function expectCutFound(heartbeat: SocketHeartbeat, proxy: TcpProxy): Promise<void> {
  const dead = once(heartbeat as never, 'dead');
  const { detectionBound } = heartbeat;
  proxy.cut();
  const [{ silentFor }] = (await dead) as [{ silentFor: number }];
  expect(silentFor).toBeLessThanOrEqual(detectionBound + 1_000 * MS);
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

    await expectCutFound(heartbeat, proxy);
    await expect.poll(() => heartbeats[1]?.latency).toBeGreaterThan(0); // it has reconnected
  });
});

/** Starts a server of SignalR, and connects the official client over watched sockets. */
async function connectSignalR(options?: AttachOptions) {
  const { WatchedSocket, heartbeats } = watchedSockets(signalR, options);
  const served = await serve(signalR, (message) => {
    if (message.includes('"protocol"')) return `{}${SEPARATOR}`;
    const { invocationId, arguments: args } = JSON.parse(message.replace(SEPARATOR, ''));
    if (invocationId === undefined) return undefined;
    return JSON.stringify({ type: 3, invocationId, result: args[0] }) + SEPARATOR;
  });
  const connection = new HubConnectionBuilder()
    .withUrl(served.url.replace('ws', 'http'), {
      skipNegotiation: true,
      transport: HttpTransportType.WebSockets,
      ...({ WebSocket: WatchedSocket } as object), // not among its types
    })
    .withAutomaticReconnect([0, OFFICIAL_INTERVAL])
    .configureLogging(LogLevel.None)
    .build();
  onTestFinished(() => connection.stop());
  return { ...served, connection, heartbeats };
}

describe('the client of SignalR', () => {
  it('stays connected to a server with our beats, and the dialect reads its beats', async () => {
    const { connection, heartbeats, beats, received } = await connectSignalR();
    connection.keepAliveIntervalInMilliseconds = OFFICIAL_INTERVAL;
    connection.serverTimeoutInMilliseconds = 5 * OFFICIAL_INTERVAL;
    await connection.start();
    expect(await connection.invoke('echo', '{"type":6}')).toBe('{"type":6}');
    await pause(12);
    expect(heartbeats).toHaveLength(1); // it has received our beats
    expect(beats.filter((kind) => kind === 'beat').length).toBeGreaterThan(5);
    expect(await connection.invoke('echo', 'again')).toBe('again');
    expect(received.filter((message) => message.includes('\u0005'))).toEqual([]);
    const [heartbeat] = heartbeats;
    expect(heartbeat?.status).toBe('alive');
    expect(heartbeat?.detectionBound).toBe(30_000 + 250 + 2 * 250);
  });

  it('is found dead within the bound after a silent cut, and reconnects', async () => {
    const maxSilence = 5 * OFFICIAL_INTERVAL; // in place of the 30 s of the protocol
    const { connection, heartbeats, proxy } = await connectSignalR({ maxSilence });
    await connection.start();
    expect(await connection.invoke('echo', 'before')).toBe('before');
    await expectCutFound(heartbeats[0] as SocketHeartbeat, proxy);
    await expect.poll(() => heartbeats.length).toBe(2);
    await expect.poll(() => connection.state).toBe(HubConnectionState.Connected);
    expect(await connection.invoke('echo', 'after')).toBe('after');
  });
});

interface PusherClient {
  readonly connection: { readonly state: string };
  connect(): void;
  disconnect(): void;
  subscribe(channel: string): { bind(event: string, listener: () => void): void };
}

interface PusherConstructor {
  new (key: string, options: object): PusherClient;
  readonly Runtime: { createWebSocket(url: string): unknown };
}

describe('the client of Pusher', () => {
  it('stays connected, is measured and pinged, and is found dead within the bound', async () => {
    const Pusher = createRequire(import.meta.url)('pusher-js') as PusherConstructor;
    const { WatchedSocket, heartbeats } = watchedSockets(pusher);
    const greeting = JSON.stringify({
      event: 'pusher:connection_established',
      data: JSON.stringify({ socket_id: '1.2', activity_timeout: 1 }),
    });
    const { url, proxy, beats, received } = await serve(
      pusher,
      (message) => {
        const { event, data } = JSON.parse(message);
        if (event !== 'pusher:subscribe') return undefined;
        const { channel } = data;
        const answer = { event: 'pusher_internal:subscription_succeeded', channel, data: '{}' };
        return JSON.stringify(answer);
      },
      greeting,
    );
    Pusher.Runtime.createWebSocket = (address) => new WatchedSocket(address);
    const { hostname, port } = new URL(url);
    const client = new Pusher('key', {
      cluster: '',
      wsHost: hostname,
      wsPort: Number(port),
      forceTLS: false,
      enabledTransports: ['ws'],
      enableStats: false,
      activityTimeout: OFFICIAL_INTERVAL,
      pongTimeout: 10 * OFFICIAL_INTERVAL,
    });
    onTestFinished(() => client.disconnect());
    await new Promise<void>((resolve) => {
      client.subscribe('room').bind('pusher:subscription_succeeded', resolve);
    });
    await pause(12);
    expect(client.connection.state).toBe('connected');
    expect(heartbeats).toHaveLength(1); // neither heartbeat has ended the connection
    const heartbeat = heartbeats[0] as SocketHeartbeat;
    expect(heartbeat.latency).toBeGreaterThan(0);
    expect(beats.filter((kind) => kind === 'ping').length).toBeGreaterThan(5);
    expect(beats).toContain('pong'); // the client answers our pings
    expect(received.filter((message) => message.includes('\u0005'))).toEqual([]);

    await expectCutFound(heartbeat, proxy);
    await expect.poll(() => heartbeats[1]?.latency).toBeGreaterThan(0); // it has reconnected
  });
});

/** What is used of the strategy of a manager, to reach the sockets that its shards open. */
interface Sharding {
  readonly shards: ReadonlyMap<number, { readonly connection: WebSocket }>;
}

describe('the client of Discord', () => {
  it('stays connected, is measured, and resumes after a cut that is found within the bound', async () => {
    const interval = 2_000 * MS; // it takes the client two of them to notice a cut
    const heartbeats: SocketHeartbeat[] = [];
    const { url, proxy, beats, received } = await serve(
      discord,
      (message) => {
        const { op } = JSON.parse(message);
        if (op === 2) {
          const d = { session_id: 'a', resume_gateway_url: url, user: {} };
          return JSON.stringify({ t: 'READY', s: 1, op: 0, d });
        }
        return op === 6 ? '{"t":"RESUMED","s":2,"op":0,"d":{}}' : undefined;
      },
      JSON.stringify({ t: null, s: null, op: 10, d: { heartbeat_interval: interval } }),
    );
    const limits = { total: 9, remaining: 9, reset_after: 60_000 * MS, max_concurrency: 1 };
    const gateway = { url, shards: 1, session_start_limit: limits };
    const rest = { get: async () => gateway } as never;
    const manager = new WebSocketManager({ token: 'none', intents: 0, rest });
    onTestFinished(() => manager.destroy());
    manager.on(WebSocketShardEvents.Debug, (line) => {
      if (!line.startsWith('Connecting to')) return;
      queueMicrotask(() => {
        const { shards } = (manager as unknown as { strategy: Sharding }).strategy;
        const socket = shards.get(0)?.connection as WebSocket;
        heartbeats.push(attachHeartbeat(socket as never, { ...TIMING, dialect: discord }));
      });
    });
    const isAcknowledged = once(manager as never, WebSocketShardEvents.HeartbeatComplete);
    await manager.connect();
    await isAcknowledged; // its first one
    expect(heartbeats).toHaveLength(1); // neither heartbeat has ended the connection
    const heartbeat = heartbeats[0] as SocketHeartbeat;
    await expect.poll(() => heartbeat.latency).toBeGreaterThan(0);
    expect(beats).toContain('ping');
    expect(received.filter((message) => message.includes('\u0005'))).toEqual([]);

    const hasResumed = once(manager as never, WebSocketShardEvents.Resumed);
    await expectCutFound(heartbeat, proxy);
    await hasResumed;
    await expect.poll(() => heartbeats[1]?.latency).toBeGreaterThan(0);
  });
});
