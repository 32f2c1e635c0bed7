// The official client and server of graphql-ws, which close at a message that they cannot read.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { buildSchema, execute, parse, subscribe, validate } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

const schema = buildSchema('type Query { hello: String } type Subscription { count: Int }');

async function* count() {
  for (let number = 1; number <= 3; number += 1) yield { count: number };
}

const told: unknown[] = [];

class WatchedSocket extends WebSocket {
  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols);
    attachHeartbeat(this as never, { pingInterval: 50 }).on('unanswered', ({ reason }) => {
      told.push(reason);
    });
  }
}

class ReturningSocket extends ReconnectingWebSocket {
  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols, { WebSocket: WebSocket as never, pingInterval: 50 });
    this.addEventListener('unanswered', ({ detail }) => told.push(detail.reason));
  }
}

describe('graphql-ws, client and server', () => {
  const cleanup: (() => unknown)[] = [];
  afterEach(async () => {
    for (const clean of cleanup.splice(0).reverse()) await clean();
  });

  it.each([
    ['a socket with attachHeartbeat', WatchedSocket],
    ['ReconnectingWebSocket', ReturningSocket],
  ])('work over %s, on one connection', async (_, webSocketImpl) => {
    told.length = 0;
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    cleanup.push(() => server.close());
    const closed: unknown[] = [];
    let connections = 0;
    server.on('connection', (socket) => {
      connections += 1;
      socket.on('close', (code, reason) => closed.push([code, String(reason)]));
    });
    // The functions are given because Vitest loads a copy of `graphql` beside that of graphql-ws.
    const graphql = { execute, parse, subscribe, validate } as object;
    const served = useServer({ schema, roots: { subscription: { count } }, ...graphql }, server);
    cleanup.push(() => served.dispose());
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = createClient({ url, webSocketImpl, lazy: false, retryAttempts: 0 });
    cleanup.push(() => client.dispose());

    for (let subscriptions = 0; subscriptions < 3; subscriptions += 1) {
      const numbers: unknown[] = [];
      for await (const { data } of client.iterate({ query: 'subscription { count }' })) {
        numbers.push(data?.['count']);
      }
      expect(numbers).toEqual([1, 2, 3]);
      // Longer than a few intervals, in which pings would have been sent.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect([connections, closed]).toEqual([1, []]);
    expect(told).toEqual(['foreign-protocol']);
  });
});
