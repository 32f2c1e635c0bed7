import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/** A server for `w3cSurface`, on loopback. */
export interface W3cServer {
  /** `ws://127.0.0.1:…`, without a path. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Echoes, text and binary. `/refuse` is refused. At the text `close CODE REASON` it closes so, at
 * `close` without a code.
 */
export async function listenForW3c(): Promise<W3cServer> {
  const http = createServer();
  // No compression: undici 6 takes a compressed message that comes after its close() for an error.
  const server = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/refuse') return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    server.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => {});
      client.on('message', (data, isBinary) => {
        const [word, code, ...reason] = isBinary ? [] : String(data).split(' ');
        if (word !== 'close') client.send(data, { binary: isBinary });
        else if (code === undefined) client.close();
        else client.close(Number(code), reason.join(' '));
      });
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    address: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      for (const client of server.clients) client.terminate();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}
