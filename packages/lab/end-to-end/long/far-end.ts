import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { attachHeartbeat } from '@wirebeat/server';
import { type WebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../../faults/tcp-proxy.ts';

/**
 * A server of `@wirebeat/server` with its default options, and two ways to it: one that lasts, and one
 * whose far end can be made to be gone.
 */
export class FarEnd {
  readonly steady: TcpProxy;
  readonly gone: TcpProxy;
  /**
   * Of the sockets that came by the steady way and have answered: what the server took for dead. A page
   * that freezes while a standby of it opens never answers there: Chromium reads nothing from a socket
   * before the page has seen it open. That verdict is right, and the page loses nothing by it.
   */
  readonly deaths: string[] = [];
  readonly #server: WebSocketServer;

  static async open(): Promise<FarEnd> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const { port: to } = server.address() as AddressInfo;
    return new FarEnd(server, await TcpProxy.listen({ to }), await TcpProxy.listen({ to }));
  }

  private constructor(server: WebSocketServer, steady: TcpProxy, gone: TcpProxy) {
    this.#server = server;
    this.steady = steady;
    this.gone = gone;
    const ways = new WeakMap<WebSocket, string>();
    server.on('connection', (socket, { url = '' }) => ways.set(socket, url));
    const answered = new WeakSet<WebSocket>();
    const heartbeat = attachHeartbeat(server);
    heartbeat.on('pong', ({ socket }) => answered.add(socket));
    heartbeat.on('dead', ({ socket, reason, silentFor }) => {
      if (ways.get(socket) !== '/steady' || !answered.has(socket)) return;
      this.deaths.push(`${reason} after ${silentFor} ms`);
    });
  }

  /** The address by one of the ways. */
  url(way: 'steady' | 'gone'): string {
    return `ws://127.0.0.1:${this[way].port}/${way}`;
  }

  /** Added to every round trip, on both ways. */
  set delay(delay: number) {
    this.steady.delay = delay;
    this.gone.delay = delay;
  }

  /** From here nothing comes back by the one way, neither on old connections nor on new ones. */
  vanish(): void {
    this.gone.cut();
    this.gone.freeze();
  }

  async close(): Promise<void> {
    await Promise.all([this.steady.close(), this.gone.close()]);
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}
