import type { Instant } from '@wirebeat/core';
import type { Hooks } from './hooks.ts';
import type { ServerSocket } from './server-socket.ts';

/** What is asked about: a connection. */
export interface Authenticated {
  readonly socket: ServerSocket;
  /** Whether it is watched no more. */
  readonly hasEnded: boolean;
  /** Its client is authenticated, and was heard at that time. */
  seen(at: Instant): void;
}

/** Asks the application whether clients are authenticated: about each one question at a time. */
export class Authentication {
  readonly #hooks: Hooks;
  readonly #isAuthenticated: ((socket: ServerSocket) => unknown) | undefined;
  /** The last beats of connections that the hook has not answered for yet. */
  readonly #beats: WeakMap<Authenticated, Instant> = new WeakMap();

  /** Without a hook every client is authenticated. */
  constructor(hooks: Hooks, isAuthenticated: ((socket: ServerSocket) => unknown) | undefined) {
    this.#hooks = hooks;
    this.#isAuthenticated = isAuthenticated;
  }

  /** A beat came at `now`. It counts once the hook says that its client is authenticated. */
  beat(connection: Authenticated, now: Instant): void {
    const isAuthenticated = this.#isAuthenticated;
    if (isAuthenticated === undefined) return connection.seen(now);
    const isAsked = this.#beats.has(connection);
    this.#beats.set(connection, now);
    if (isAsked) return;
    const { socket } = connection;
    this.#hooks.ask(
      'authenticated',
      socket,
      () => isAuthenticated(socket),
      (answer) => {
        const last = this.#beats.get(connection) ?? now;
        this.#beats.delete(connection);
        if (answer && !connection.hasEnded) connection.seen(last);
      },
    );
  }
}
