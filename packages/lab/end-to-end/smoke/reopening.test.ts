// Sockets that come back by themselves, of two other libraries, with a heartbeat that makes them.
import { attachHeartbeat, gateListeners } from '@wirebeat/client';
import { attachHeartbeat as attachToServer } from '@wirebeat/server';
import { WebSocket as PartySocket } from 'partysocket';
import reconnectingWebSocket from 'reconnecting-websocket';
import { expect, it } from 'vitest';
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { MS } from '../allowance.ts';

type Socket = Parameters<typeof attachHeartbeat>[0] & { close(): void };

const over = { WebSocket: NodeWebSocket, minReconnectionDelay: 1, maxReconnectionDelay: 1 };
const Other = reconnectingWebSocket as unknown as new (...args: unknown[]) => Socket;
const SOCKETS: [name: string, open: (url: string) => Socket][] = [
  ['partysocket', (url) => new PartySocket(url, [], over) as Socket],
  ['reconnecting-websocket', (url) => new Other(url, [], over)],
];

it.each(SOCKETS)(
  'a socket of %s comes back from a silent cut, and is watched on',
  async (_, open) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => server.once('listening', resolve));
    attachToServer(server);
    const proxy = await TcpProxy.listen({ to: (server.address() as { port: number }).port });
    const socket = open(`ws://127.0.0.1:${proxy.port}/`);
    const timing = { pingInterval: 100 * MS, pingTimeout: 500 * MS };
    const heartbeat = attachHeartbeat(socket, { ...timing, gate: gateListeners });
    const next = (name: 'pong' | 'dead') => new Promise((resolve) => heartbeat.once(name, resolve));
    const end = async () => {
      heartbeat.detach();
      socket.close();
      for (const client of server.clients) client.terminate();
      server.close();
      await proxy.close();
    };
    try {
      await next('pong');
      for (let cuts = 0; cuts < 2; cuts += 1) {
        const dead = next('dead');
        proxy.cut();
        expect(await dead).toMatchObject({ reason: 'ping-timeout' });
        await next('pong');
        expect(heartbeat.status).toBe('alive');
      }
      expect(server.clients.size).toBeGreaterThan(0);
    } finally {
      await end();
    }
  },
);
