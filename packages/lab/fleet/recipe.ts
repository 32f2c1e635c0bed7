import type { WebSocket, WebSocketServer } from 'ws';

/**
 * The heartbeat from the manual of `ws`, "How to detect and close broken connections": one flag per
 * socket and a sweep over all sockets. A baseline for the measurements.
 */
export class Recipe {
  readonly #alive: Map<WebSocket, boolean> = new Map();

  constructor(server: WebSocketServer, period: number) {
    server.on('connection', (socket) => {
      this.#alive.set(socket, true);
      socket.on('pong', () => this.#alive.set(socket, true));
      socket.on('close', () => this.#alive.delete(socket));
    });
    const interval = setInterval(() => this.#sweep(), period);
    server.on('close', () => clearInterval(interval));
  }

  /** Number of sockets that have not answered their Ping. */
  get asking(): number {
    return [...this.#alive.values()].filter((isAlive) => !isAlive).length;
  }

  #sweep(): void {
    for (const [socket, isAlive] of this.#alive) {
      if (!isAlive) {
        socket.terminate();
        continue;
      }
      this.#alive.set(socket, false);
      socket.ping();
    }
  }
}
