import type { Millis } from '@wirebeat/core';
import type { ServerSocket } from '../connection/server-socket.ts';
import type { Membership } from './membership.ts';

/** A connection that can hold a session. */
export interface SessionHolder {
  readonly socket: ServerSocket;
  /**
   * The session, once it is bound; until then the number of the connection. A newer connection has a
   * greater number. One field holds both to save memory in idle connections. Only `Sessions` sets it.
   */
  session: SessionClaim | number;
  /** Whether the heartbeat of this connection has ended. */
  readonly hasEnded: boolean;
  /** Pings the client. Rejects if it does not answer. */
  ping(): Promise<Millis>;
  /** The connection holds its session. `isAnswered`: the client's ping has been answered already. */
  bound(binding: { readonly epoch: number; readonly isAnswered: boolean }): void;
  /**
   * A newer connection came with the same session, to another server if `by` is undefined. Ends this
   * connection before the newer one is answered.
   */
  replace(by: ServerSocket | undefined): void;
}

/** A session that a connection holds: the secret of the client, and its user. */
export interface SessionClaim {
  readonly secret: string;
  readonly user: unknown;
  readonly holder: SessionHolder;
  /** The number of the connection. */
  readonly order: number;
  /** Counts the claims of this server. */
  readonly turn: number;
  /** The session of another user with the same secret. */
  next: SessionClaim | undefined;
  /** Undefined without a registry, or if the registry cannot name the user. */
  registration?: Membership;
}

/** The encoding of 128 random bits: RFC 4648 §5 without padding. Anything shorter is not a secret. */
const SESSION = /^[\w-]{22}$/;

/** Whether a text can be the secret of a session. */
export function isSession(text: string): boolean {
  return SESSION.test(text);
}
