import type { IncomingMessage } from 'node:http';
import { ReadyState } from '@wirebeat/core';
import type { Hooks } from '../connection/hooks.ts';
import type { ServerSocket } from '../connection/server-socket.ts';

/** A connection that can hold a session. */
export interface SessionHolder {
  readonly socket: ServerSocket;
  /**
   * The session, once it is bound; until then the number of the connection. A newer connection has a
   * greater number. One field holds both to save memory in idle connections. Only {@link Sessions} sets
   * it.
   */
  session: SessionClaim | number;
  /** Whether the heartbeat of this connection has ended. */
  readonly hasEnded: boolean;
  /**
   * The session was bound after `bind` had returned, because the application's hook was asynchronous.
   */
  bound(): void;
  /**
   * A newer connection came with the same session. Ends this connection before the newer one is
   * answered.
   */
  replace(by: ServerSocket): void;
}

/**
 * Returns the user of a connection: the same value for the same user; `undefined` or `null` if unknown.
 */
export type UserOf = (socket: ServerSocket, request: IncomingMessage | undefined) => unknown;

/** A session that a connection holds: the secret of the client, and its user. */
export interface SessionClaim {
  readonly secret: string;
  readonly user: unknown;
  readonly holder: SessionHolder;
  /** The number of the connection. */
  readonly order: number;
  /** The session of another user with the same secret. */
  next: SessionClaim | undefined;
}

/** The encoding of 128 random bits: RFC 4648 §5 without padding. Anything shorter is not a secret. */
const SESSION = /^[\w-]{22}$/;

/**
 * Tracks which connection holds which session. A session is identified by a client's secret of 128 bits
 * and by the user, if the application names one: the same secret of another user is another session.
 * Only the newest connection holds a session.
 *
 * It keeps one small object for each open connection that has sent a session, and nothing for other
 * connections. It only knows the connections of this process. If a client reconnects to another
 * process, its older connection ends by its own timeout.
 */
export class Sessions {
  readonly #hooks: Hooks;
  readonly #userOf: UserOf | undefined;
  /** The connections that wait for the answer of the hook. */
  readonly #asking: WeakSet<SessionHolder> = new WeakSet();
  /**
   * The requests, kept only if `userOf` needs them and until it has returned a user: a request uses far
   * more memory than a connection.
   */
  readonly #requests: WeakMap<SessionHolder, IncomingMessage> = new WeakMap();
  /** Keyed by secret. Two users hardly ever have the same secret. */
  readonly #claims: Map<string, SessionClaim> = new Map();
  #size = 0;

  /** Without `userOf`, all connections belong to one user, so the secret alone decides. */
  constructor(hooks: Hooks, userOf?: UserOf) {
    this.#hooks = hooks;
    this.#userOf = userOf;
  }

  /** Adds a new connection. `request` is undefined if unknown. */
  enter(holder: SessionHolder, request: IncomingMessage | undefined): void {
    if (this.#userOf !== undefined && request !== undefined) this.#requests.set(holder, request);
  }

  /** Number of sessions that are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * A connection has sent the session `id`. Returns whether it is bound now, so that the client can be
   * told. Ends the connection that held the session before; if that one is newer, ends this one
   * instead. A connection that is closing does not replace another. If the hook returns a promise,
   * `holder.bound()` is called when it resolves.
   */
  bind(holder: SessionHolder, id: string): boolean {
    const { session } = holder;
    if (!SESSION.test(id)) return false;
    // Stored as bytes: half the memory of the text, and no reference to the message that the text was
    // cut from.
    const secret = Buffer.from(id, 'base64url').toString('latin1');
    if (typeof session !== 'number') return session.secret === secret;
    const userOf = this.#userOf;
    if (userOf === undefined) return this.#give(holder, secret, 'anybody');
    if (this.#asking.has(holder)) return false;
    this.#asking.add(holder);
    const { socket } = holder;
    const ask = () => userOf(socket, this.#requests.get(holder));
    let isBound = false;
    let isLate = false;
    this.#hooks.ask('user', socket, ask, (user) => {
      this.#asking.delete(holder);
      if (user == null || holder.hasEnded) return; // the hook may have ended the connection
      this.#requests.delete(holder);
      isBound = this.#give(holder, secret, user);
      if (isBound && isLate && !holder.hasEnded) holder.bound();
    });
    isLate = true;
    return isBound;
  }

  /** Releases the session of a connection that has ended. */
  release(holder: SessionHolder): void {
    this.#requests.delete(holder);
    if (typeof holder.session !== 'number') this.#take(holder.session);
  }

  #give(holder: SessionHolder, secret: string, user: unknown): boolean {
    // The application has closed this connection already, for example because it allows one connection
    // per user and keeps the older one.
    if (holder.socket.readyState !== ReadyState.Open) return false;
    const order = holder.session as number;
    const other = this.#find(secret, user);
    if (other !== undefined && other.order > order) {
      holder.replace(other.holder.socket);
      return false;
    }
    if (other !== undefined) this.#take(other);
    const claim = { secret, user, holder, order, next: this.#claims.get(secret) };
    this.#claims.set(secret, claim);
    this.#size += 1;
    holder.session = claim;
    other?.holder.replace(holder.socket);
    return true;
  }

  #find(secret: string, user: unknown): SessionClaim | undefined {
    let claim = this.#claims.get(secret);
    while (claim !== undefined && !Object.is(claim.user, user)) claim = claim.next;
    return claim;
  }

  #take(claim: SessionClaim): void {
    claim.holder.session = claim.order;
    this.#size -= 1;
    let before = this.#claims.get(claim.secret);
    if (before !== claim) {
      while (before !== undefined && before.next !== claim) before = before.next;
      if (before !== undefined) before.next = claim.next;
    } else if (claim.next === undefined) this.#claims.delete(claim.secret);
    else this.#claims.set(claim.secret, claim.next);
  }
}
