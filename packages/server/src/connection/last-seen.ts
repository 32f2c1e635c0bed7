import type { Instant } from '@wirebeat/core';
import type { Hooks } from './hooks.ts';
import type { ServerSocket } from './server-socket.ts';

/** What {@link LastSeen} needs of a connection. */
export interface Authenticated {
  readonly socket: ServerSocket;
  /** Whether the heartbeat of this connection has ended. */
  readonly hasEnded: boolean;
  /** The client is authenticated, and its last ping or pong arrived at `at`. */
  seen(at: Instant): void;
}

/**
 * Decides when pings and pongs count as last seen: once the application has confirmed that their client is
 * authenticated. At most one call of its hook is pending for each connection.
 */
export class LastSeen {
  readonly #hooks: Hooks;
  readonly #isAuthenticated: (socket: ServerSocket) => unknown;
  /** When the last ping or pong of each connection arrived, while the hook has not answered. */
  readonly #beats: WeakMap<Authenticated, Instant> = new WeakMap();

  constructor(hooks: Hooks, isAuthenticated: (socket: ServerSocket) => unknown) {
    this.#hooks = hooks;
    this.#isAuthenticated = isAuthenticated;
  }

  /**
   * A ping or pong arrived at `now`. It counts once the hook has confirmed that its client is
   * authenticated.
   */
  beat(connection: Authenticated, now: Instant): void {
    const isAsked = this.#beats.has(connection);
    this.#beats.set(connection, now);
    if (isAsked) return;
    const { socket } = connection;
    this.#hooks.ask(
      'authenticated',
      socket,
      () => this.#isAuthenticated(socket),
      (answer) => {
        const last = this.#beats.get(connection) ?? now;
        this.#beats.delete(connection);
        if (answer && !connection.hasEnded) connection.seen(last);
      },
    );
  }
}
