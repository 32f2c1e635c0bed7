// Servers of other protocols in this process, with a heartbeat in their dialect, and the official clients.
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dialect, engineIo, graphql, mqtt, stomp, trpc } from '@wirebeat/core/dialects';
import { attachHeartbeat, type ServerHeartbeat } from '@wirebeat/server';
import { Aedes } from 'aedes';
import { buildSchema, execute, parse, subscribe, validate } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { Server as SocketIoServer } from 'socket.io';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import { CLIENTS, type ClientName } from '../../dialects/clients.mjs';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { allowance, MS } from '../allowance.ts';

const TIMING = { pingInterval: 300 * MS, pingTimeout: 500 * MS };

interface Peer {
  readonly client: ClientName;
  readonly dialect: Dialect;
  /** Whether the server may send pings, so that there is a latency. */
  readonly asks: boolean;
  start(http: HttpServer, attach: (server: WebSocketServer) => Heartbeat): Promise<void>;
}

type Heartbeat = ServerHeartbeat<WebSocket>;

const PEERS: Readonly<Record<string, Peer>> = {
  'graphql-ws': {
    client: 'graphql',
    dialect: graphql,
    asks: true,
    async start(http, attach) {
      const schema = buildSchema(
        'type Query { hello: String } type Subscription { echo(text: String): String }',
      );
      async function* echo({ text }: { text: string }) {
        yield { echo: text };
      }
      const server = new WebSocketServer({ server: http });
      attach(server);
      // These functions and the schema must be of one copy of graphql, and the test runner loads another.
      const functions = { execute, parse, subscribe, validate };
      useServer({ schema, roots: { subscription: { echo } }, ...functions }, server);
    },
  },

  tRPC: {
    client: 'trpc',
    dialect: trpc,
    asks: true,
    async start(http, attach) {
      const { initTRPC } = await import('@trpc/server');
      const { applyWSSHandler } = await import('@trpc/server/adapters/ws');
      const t = initTRPC.create();
      const router = t.router({
        echo: t.procedure.input(String).query(({ input }) => input),
      });
      const wss = new WebSocketServer({ server: http });
      attach(wss);
      applyWSSHandler({ wss, router });
    },
  },

  'Socket.IO': {
    client: 'socketIo',
    dialect: engineIo,
    asks: true,
    async start(http, attach) {
      const heartbeat = attach(new WebSocketServer({ noServer: true }));
      const server = new SocketIoServer(http, { transports: ['websocket'] });
      server.engine.on('connection', ({ transport }: { transport: { socket: WebSocket } }) => {
        heartbeat.watch(transport.socket);
      });
      server.on('connection', (socket) => {
        socket.on('echo', (text: string, answer: (text: string) => void) => answer(text));
      });
    },
  },

  'aedes, MQTT': {
    client: 'mqtt',
    dialect: mqtt,
    asks: false,
    async start(http, attach) {
      const broker = await Aedes.createBroker();
      const server = new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' });
      attach(server);
      server.on('connection', (socket) => {
        const stream = createWebSocketStream(socket);
        stream.on('error', () => {}); // a connection that is cut
        broker.handle(stream as never);
      });
      onTestFinished(() => broker.close());
    },
  },

  STOMP: {
    client: 'stomp',
    dialect: stomp,
    asks: false,
    async start(http, attach) {
      const server = new WebSocketServer({ server: http, handleProtocols: () => 'v12.stomp' });
      attach(server);
      server.on('connection', (socket) => {
        let subscription = '';
        socket.on('message', (data) => {
          const [command = '', ...lines] = String(data).split('\n');
          const header = (name: string) =>
            lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1) ?? '';
          if (command === 'CONNECT') socket.send('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');
          if (command === 'SUBSCRIBE') subscription = header('id');
          if (command !== 'SEND') return;
          const body = String(data).split('\n\n')[1] ?? '';
          const headers = `subscription:${subscription}\nmessage-id:1\ndestination:x`;
          socket.send(`MESSAGE\n${headers}\n\n${body}`);
        });
      });
    },
  },
};

async function serve({ start, dialect }: Peer) {
  const http = createServer();
  const heartbeats: Heartbeat[] = [];
  const received: string[] = []; // by the server of the protocol
  const stalls: number[] = [];
  const attach = (server: WebSocketServer) => {
    const heartbeat = attachHeartbeat(server, { ...TIMING, dialect });
    heartbeat.on('stall', ({ lateBy }) => stalls.push(lateBy));
    server.on('connection', (socket) => {
      socket.on('message', (data) => received.push(String(data)));
      socket.on('error', () => {});
    });
    heartbeats.push(heartbeat);
    return heartbeat;
  };
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const proxy = await TcpProxy.listen({ to: (http.address() as AddressInfo).port });
  onTestFinished(async () => {
    heartbeats[0]?.detach();
    await proxy.close();
    http.closeAllConnections();
    http.close();
  });
  await start(http, attach);
  return { heartbeat: heartbeats[0] as Heartbeat, proxy, received, stalls };
}

describe.each(Object.entries(PEERS))('a server of %s', (_name, peer) => {
  it('watches the official client in its dialect, and finds a silent cut within the bound', async () => {
    const { heartbeat, proxy, received, stalls } = await serve(peer);
    const unresponsive: unknown[] = [];
    heartbeat.on('unresponsive', (event) => unresponsive.push(event));
    const sent: string[] = []; // by the client
    class NotedSocket extends WebSocket {
      constructor(address: string, protocols?: string | string[]) {
        super(address, protocols);
        this.on('message', (data) => sent.push(String(data)));
        this.on('error', () => {});
      }
    }
    const client = await CLIENTS[peer.client](`ws://127.0.0.1:${proxy.port}`, NotedSocket);
    onTestFinished(() => void client.end());
    expect(await client.echo('\u0005wb')).toBe('\u0005wb');
    const [connection] = heartbeat.connections.values();
    if (connection === undefined) throw new Error('there is no connection');
    await expect.poll(() => connection.transportLatency).toBeGreaterThan(0);
    if (peer.asks) {
      await expect.poll(() => connection.applicationLatency).toBeGreaterThan(0);
      expect(await connection.ping({ tier: 'application' })).toBeGreaterThan(0);
      expect(received.filter((message) => message.includes('wirebeat'))).toEqual([]);
    } else {
      expect(connection.applicationLatency).toBeUndefined();
      const error = { code: 'ERR_FOREIGN_PROTOCOL' };
      await expect(connection.ping({ tier: 'application' })).rejects.toMatchObject(error);
    }
    expect(sent.filter((message) => message.startsWith('\u0005wb'))).toEqual([]);
    expect(await client.echo('again')).toBe('again');
    expect(unresponsive).toEqual([]);

    const { detectionBound } = connection;
    const dead = once(heartbeat as never, 'dead');
    proxy.cut();
    const [{ silentFor }] = (await dead) as [{ silentFor: number }];
    const allowed = allowance(stalls, TIMING.pingTimeout) + 1_000 * MS;
    expect(silentFor).toBeLessThanOrEqual(detectionBound + allowed);
  });
});
