// Three servers that share a Redis are restarted one after the other, under clients that stay.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReconnectingWebSocket } from '@wirebeat/client';
import { attachHeartbeat, type ServerHeartbeat } from '@wirebeat/server';
import { RedisRegistry } from '@wirebeat/server/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { findProgram } from '../../programs/find-program.ts';
import { MS } from '../../programs/time-factor.ts';
import { type Connected, connectIoredis } from '../../redis/redis-clients.ts';
import { RedisServer } from '../../redis/redis-server.ts';

const NODES = 3;
const USERS = 30;
const DRAIN = 500;
const GRACE = 5_000 * MS;
const RENEWAL = 5_000; // of a lease, which writes a leave that is due
const wait = { timeout: 30_000 * MS };

const hasRedis = findProgram('REDIS_PATH') !== undefined;
const closers: (() => unknown)[] = [];
let redis: Connected;
beforeAll(async () => {
  if (!hasRedis) return;
  const server = await RedisServer.start();
  redis = await connectIoredis(server.port);
  closers.push(
    () => server.end(),
    () => redis.close(),
  );
});
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const userOf = (url = '/') => new URL(url, 'ws://host').searchParams.get('user');

/** One server. Adds what its sessions are told to `epochs`, by user. */
class Node {
  port = 0;
  heartbeat!: ServerHeartbeat<WebSocket>;
  #server!: WebSocketServer;
  readonly #epochs: Map<string, number[]>;

  constructor(epochs: Map<string, number[]>) {
    this.#epochs = epochs;
  }

  async start(): Promise<void> {
    const server = new WebSocketServer({ port: this.port, host: '127.0.0.1' });
    const users = new WeakMap<WebSocket, string>();
    server.on('connection', (socket, { url }) => users.set(socket, userOf(url) ?? ''));
    const { call, subscribe } = redis;
    this.heartbeat = attachHeartbeat(server, {
      registry: new RedisRegistry({ call, subscribe, grace: GRACE }),
      session: { user: (_, request) => userOf(request?.url) },
    });
    this.heartbeat.on('error', () => {}); // in the end Redis goes before it has released all
    this.heartbeat.on('session', ({ socket, epoch }) => {
      const user = users.get(socket) ?? '';
      this.#epochs.set(user, [...(this.#epochs.get(user) ?? []), epoch]);
    });
    this.#server = server;
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
  }

  /** As a deployment does: sends the clients away, ends, and starts again. */
  async restart(): Promise<void> {
    await this.heartbeat.drain({ within: DRAIN });
    await this.end();
    await this.start();
  }

  async end(): Promise<void> {
    this.heartbeat.detach();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe.skipIf(!hasRedis)('a rolling restart', () => {
  it('hands all sessions over, and no user who stays leaves', async () => {
    const epochs = new Map<string, number[]>();
    const nodes = Array.from({ length: NODES }, () => new Node(epochs));
    const watcher = new Node(epochs);
    for (const node of [...nodes, watcher]) {
      await node.start();
      closers.push(() => node.end());
    }
    const changes: string[] = [];
    const stop = new AbortController();
    closers.push(() => stop.abort());
    void (async () => {
      for await (const { type } of watcher.heartbeat.presence.watch(stop.signal)) {
        changes.push(type);
      }
    })();
    await expect.poll(() => changes, wait).toEqual(['snapshot']);

    for (let user = 0; user < USERS; user += 1) {
      let dials = user;
      const url = () => `ws://127.0.0.1:${nodes[dials++ % NODES]?.port}/?user=${user}`;
      const socket = new ReconnectingWebSocket(url, [], { WebSocket: WebSocket as never });
      closers.push(() => socket.close());
    }
    await expect.poll(() => epochs.size, wait).toBe(USERS);
    const connections = () => nodes.map(({ heartbeat }) => heartbeat.connections.size);
    for (const node of nodes) {
      expect(node.heartbeat.connections.size).toBeGreaterThan(0);
      await node.restart();
      const isWhole = () => connections().reduce((sum, count) => sum + count, 0) === USERS;
      await expect.poll(isWhole, wait).toBe(true);
    }
    const places = async () => {
      const all = Array.from({ length: USERS }, (_, user) => watcher.heartbeat.presence.find(user));
      return (await Promise.all(all)).map(({ length }) => length);
    };
    await expect.poll(places, wait).toEqual(new Array(USERS).fill(1));
    await sleep(GRACE + 2 * RENEWAL); // whoever had left would be known by then
    const count = (type: string) => changes.filter((change) => change === type).length;
    expect({ join: count('join'), leave: count('leave') }).toEqual({ join: USERS, leave: 0 });
    expect(count('move')).toBeGreaterThan(USERS / 2);
    for (const given of epochs.values()) {
      expect(given).toEqual([...new Set(given)].sort((a, b) => a - b));
    }
  });
});
