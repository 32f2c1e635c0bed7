import type { WebSocket, WebSocketServer } from 'ws';

/**
 * The heartbeat that the manual of `ws` has under "How to detect and close broken connections": a flag
 * a socket, and a sweep over all of them. What others are measured against.
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

  /** How many were asked and have not answered. */
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
