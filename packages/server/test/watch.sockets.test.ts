import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { attachHeartbeat } from '../src/attach.ts';
import { atEnd, connect, Log } from './server-side.ts';

describe('an upgrade that is handled by hand, without `connection`', () => {
  it('gets a heartbeat by `watch`, with its request, and pings are answered', async () => {
    const http = createServer();
    const server = new WebSocketServer({ noServer: true });
    const heartbeat = attachHeartbeat(server, {
      session: { user: (_, request) => request?.url },
    });
    const watched: Log<boolean> = new Log();
    http.on('upgrade', (request: IncomingMessage, tcp: Duplex, head: Buffer) => {
      server.handleUpgrade(request, tcp, head, (socket) => {
        const connection = heartbeat.watch(socket, request);
        watched.push(connection !== undefined && heartbeat.watch(socket) === connection);
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    atEnd(() => {
      heartbeat.detach();
      for (const socket of server.clients) socket.terminate();
      http.close();
    });
    const { port } = http.address() as AddressInfo;
    const { client, received } = await connect({ port, path: '/ann' });
    expect(await watched.find()).toBe(true);
    client.send('\u0005wb.1;v=1;session=AbCdEfGhIjKlMnOpQrSt-_');
    expect(await received.find()).toBe('\u0006wb.1;session=ok'); // the request said who it is
    const [connection] = heartbeat.connections.values();
    await expect(connection?.ping()).resolves.toBeGreaterThanOrEqual(0);
    client.terminate();
    await once(heartbeat as never, 'end');
    expect(heartbeat.connections.size).toBe(0);
  });
});
