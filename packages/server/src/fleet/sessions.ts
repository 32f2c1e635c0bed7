import type { IncomingMessage } from 'node:http';
import { ReadyState } from '@wirebeat/core';
import type { Hooks } from '../connection/hooks.ts';
import type { ServerSocket } from '../connection/server-socket.ts';

/** What may hold a session: one connection. */
export interface SessionHolder {
  readonly socket: ServerSocket;
  /**
   * Its session, once that is bound; until then the number of the connection: the greater is the newer.
   * One field for both, because each idle connection has it. Only {@link Sessions} sets it.
   */
  session: SessionClaim | number;
  /** Whether it is watched no more. */
  readonly hasEnded: boolean;
  /** Its session was bound after `bind` had returned: the application's hook took its time. */
  bound(): void;
  /** A newer connection has come with the same session: this one ends before that is answered. */
  replace(by: ServerSocket): void;
}

/** The user of a connection: the same value for the same user; `undefined` or `null` if unknown. */
export type UserOf = (socket: ServerSocket, request: IncomingMessage | undefined) => unknown;

/** One session that is held: the secret of a client, and its user. */
export interface SessionClaim {
  readonly secret: string;
  readonly user: unknown;
  readonly holder: SessionHolder;
  /** The number of its connection. */
  readonly order: number;
  /** Another user's, with the same secret. */
  next: SessionClaim | undefined;
}

/** What 128 random bits are in a beat: RFC 4648 §5 without padding. Less is no secret. */
const SESSION = /^[\w-]{22}$/;

/**
 * Which connection holds which session. A session is a client's secret of 128 bits, and bound to a
 * user where the application says who that is: the same secret of another user is another session.
 * One connection holds it, the newest.
 *
 * It keeps one small object for each open connection that has named a session, and nothing for any
 * other. It knows the connections of this process only: a client that comes back to another process
 * leaves its older connection there to its own timeout.
 */
export class Sessions {
  readonly #hooks: Hooks;
  readonly #userOf: UserOf | undefined;
  /** The connections that the hook has not answered for yet. */
  readonly #asking: WeakSet<SessionHolder> = new WeakSet();
  /** Only where they are asked for, and until then: a request takes far more than a connection. */
  readonly #requests: WeakMap<SessionHolder, IncomingMessage> = new WeakMap();
  /** By the secret. Hardly ever more than one user has the same. */
  readonly #claims: Map<string, SessionClaim> = new Map();
  #size = 0;

  /** Without `userOf` all connections are of one user: the secret alone decides. */
  constructor(hooks: Hooks, userOf?: UserOf) {
    this.#hooks = hooks;
    this.#userOf = userOf;
  }

  /** A connection was opened, by this request if that is known. */
  enter(holder: SessionHolder, request: IncomingMessage | undefined): void {
    if (this.#userOf !== undefined && request !== undefined) this.#requests.set(holder, request);
  }

  /** How many sessions are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * A connection says that its session is `id`. Returns whether it is bound, so that the peer may
   * be told. The connection that held it before is ended first; if that is the newer one, this is
   * ended instead. One that is being closed replaces none. Where the hook answers by a promise,
   * {@link SessionHolder.bound} follows.
   */
  bind(holder: SessionHolder, id: string): boolean {
    const { session } = holder;
    if (!SESSION.test(id)) return false;
    // As bytes: half the memory of the text, and no reference to the whole beat that it was cut from.
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
      if (user == null || holder.hasEnded) return; // the hook may have ended it
      this.#requests.delete(holder);
      isBound = this.#give(holder, secret, user);
      if (isBound && isLate && !holder.hasEnded) holder.bound();
    });
    isLate = true;
    return isBound;
  }

  /** The connection has ended. */
  release(holder: SessionHolder): void {
    this.#requests.delete(holder);
    if (typeof holder.session !== 'number') this.#take(holder.session);
  }

  #give(holder: SessionHolder, secret: string, user: unknown): boolean {
    // The application has closed it already, as one that allows a user one connection does: the older
    // connection is the one that it keeps.
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
