import { bySubprotocol, engineIo, graphql, observing, text, trpc } from '@wirebeat/core/dialects';
import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../src/attach.ts';
import type { AttachOptions } from '../src/options.ts';
import { ReconnectingWebSocket } from '../src/reconnect/reconnecting-websocket.ts';
import { FakeServer, KINDS, type Kind, type Reply } from './fake-server.ts';

const trpcServer: Reply = (message) => (message === 'PING' ? 'PONG' : undefined);
const silentServer: Reply = () => undefined;

/** Attaches on a connection to a server that is 10 ms away, and lets it open. */
function attach(
  answer: Reply,
  options: AttachOptions,
  { kind = 'ws', protocols }: { kind?: Kind; protocols?: string[] } = {},
) {
  const scheduler = new VirtualScheduler(1_000_000);
  const server = new FakeServer(scheduler, kind);
  server.answer = answer;
  const link = server.connect(protocols);
  const heartbeat = attachHeartbeat(link.client, { scheduler, jitter: 0, ...options });
  const seen: unknown[] = [];
  const events: string[] = [];
  link.client.addEventListener('message', ({ data }: { data: unknown }) => seen.push(data));
  for (const name of ['pong', 'dead', 'unanswered'] as const) {
    heartbeat.on(name, () => events.push(name));
  }
  scheduler.advance(10);
  return { scheduler, server, link, heartbeat, seen, events };
}

describe.each(KINDS)('attachHeartbeat with a dialect, on a socket like that of %s', (kind) => {
  it('pings as the protocol says, never in its own way, and shows the latency', async () => {
    const it = attach(trpcServer, { dialect: trpc, pingInterval: 1_000 }, { kind });
    it.scheduler.advance(5_000);
    expect(it.heartbeat.latency).toBe(20);
    expect(it.link.wire.sentMessages).toEqual(Array(6).fill('PING'));
    expect(it.seen).toEqual([]);
    const ping = it.heartbeat.ping();
    it.scheduler.advance(20);
    await expect(ping).resolves.toBe(20);
    expect(it.events).not.toContain('unanswered');
  });

  it('leaves the messages of the application alone', () => {
    const it = attach(trpcServer, { dialect: trpc }, { kind });
    it.link.client.send('PING'); // the application's own
    for (const data of ['{"id":1}', '\u0005wb.7', '\u0006wb']) it.link.peer.send(data);
    it.scheduler.advance(100);
    expect(it.seen).toEqual(['{"id":1}', '\u0005wb.7', '\u0006wb', 'PONG']);
    it.link.peer.send('\u0006wb'); // a message like any other here
    it.scheduler.advance(100);
    expect(it.seen).toHaveLength(5);
  });

  it('finds a link dead within the bound', () => {
    const it = attach(trpcServer, { dialect: trpc, pingInterval: 1_000 }, { kind });
    it.scheduler.advance(1_500);
    it.link.cut();
    it.scheduler.advance(it.heartbeat.detectionBound);
    expect(it.events.at(-1)).toBe('dead');
  });

  it('only listens where a client may send no ping', async () => {
    const it = attach(silentServer, { dialect: engineIo }, { kind });
    it.link.peer.send('0{"sid":"x","pingInterval":1000,"pingTimeout":500}');
    it.scheduler.advance(20);
    expect(it.heartbeat.detectionBound).toBe(1_500 + 250 + 2 * 250);
    await expect(it.heartbeat.ping()).rejects.toMatchObject({
      code: 'ERR_FOREIGN_PROTOCOL',
    });
    it.heartbeat.probe();
    for (let second = 0; second < 20; second += 1) {
      it.link.peer.send('2');
      it.scheduler.advance(1_000);
    }
    expect(it.events).toEqual([]);
    it.scheduler.advance(it.heartbeat.detectionBound);
    expect(it.events).toEqual(['dead']);
    expect(it.link.wire.sentMessages).toEqual([]);
    expect(it.seen).toHaveLength(21);
  });

  it('times the pings of the application and adds nothing, if it is to observe', () => {
    const it = attach(trpcServer, { dialect: observing(trpc) }, { kind });
    it.scheduler.advance(60_000);
    it.link.client.send('PING');
    it.scheduler.advance(20);
    expect(it.heartbeat.latency).toBe(20);
    expect(it.link.wire.sentMessages).toEqual(['PING']);
    expect(it.seen).toEqual(['PONG']);
  });

  it('chooses by the subprotocol, and its own heartbeat otherwise', () => {
    const dialect = bySubprotocol(graphql);
    const chosen = attach(silentServer, { dialect }, { kind, protocols: ['graphql-transport-ws'] });
    expect(chosen.link.wire.sentMessages).toEqual(['{"type":"ping","payload":{"wirebeat":"1"}}']);
    const native = attach(silentServer, { dialect }, { kind, protocols: ['chat'] });
    expect(native.link.beats).toHaveLength(1);
    const foreign = attach(silentServer, { dialect }, { kind, protocols: ['mqtt'] });
    foreign.scheduler.advance(60_000);
    expect(foreign.link.wire.sentMessages).toEqual([]);
  });

  it('leaves the socket as it was once it is detached', () => {
    const it = attach(trpcServer, { dialect: trpc }, { kind });
    it.heartbeat.detach();
    it.link.peer.send('PONG');
    it.scheduler.advance(100);
    expect(it.seen).toEqual(['PONG', 'PONG']); // that of the first ping too
  });
});

it('reconnects by the dialect of the option', () => {
  const scheduler = new VirtualScheduler(1_000_000);
  const server = new FakeServer(scheduler);
  server.answer = (message) => (message === 'ping' ? 'pong' : undefined);
  const { WebSocket } = server;
  const socket = new ReconnectingWebSocket('ws://a', [], { dialect: text(), scheduler, WebSocket });
  const seen: unknown[] = [];
  socket.addEventListener('message', ({ data }) => seen.push(data));
  scheduler.advance(1_000);
  expect(socket.latency).toBe(20);
  server.last.cut();
  scheduler.advance(60_000);
  expect(server.links.length).toBeGreaterThan(1);
  server.last.peer.send('hello');
  scheduler.advance(1_000);
  expect(seen).toEqual(['hello']);
  for (const { wire } of server.links)
    expect(new Set(wire.sentMessages)).toEqual(new Set(['ping']));
  socket.close();
});

it.each([
  { heard: true, attempts: [1, 1, 1] },
  { heard: false, attempts: [1, 2, 3] },
])(
  'starts the backoff afresh after a connection that it only listened to, if it heard anything: $heard',
  ({ heard, attempts }) => {
    const scheduler = new VirtualScheduler(1_000_000);
    const server = new FakeServer(scheduler);
    server.answer = silentServer;
    const { WebSocket } = server;
    const options = { dialect: engineIo, makeBeforeBreak: false, scheduler, WebSocket };
    const socket = new ReconnectingWebSocket('ws://a', [], options);
    const seen: number[] = [];
    socket.addEventListener('retry', ({ detail }) => seen.push(detail.attempt));
    for (const _ of attempts) {
      const count = server.links.length;
      scheduler.advance(1_000);
      if (heard) server.last.peer.send('2'); // the ping of the server
      scheduler.advance(10_000);
      server.last.reset();
      while (server.links.length <= count && scheduler.now() < 2_000_000) scheduler.advance(100);
    }
    expect(seen).toEqual(attempts);
    socket.close();
  },
);
