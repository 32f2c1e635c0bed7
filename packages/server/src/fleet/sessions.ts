import type { IncomingMessage } from 'node:http';
import { ReadyState } from '@wirebeat/core';
import type { Hooks } from '../connection/hooks.ts';
import type { ServerSocket } from '../connection/server-socket.ts';
import type { LeaseHolder } from './lease-holder.ts';
import { nameOfUser, Registration } from './registration.ts';
import { isSession, type SessionClaim, type SessionHolder } from './session-claim.ts';

/**
 * Returns the user of a connection: the same value for the same user; `undefined` or `null` if unknown.
 */
export type UserOf = (socket: ServerSocket, request: IncomingMessage | undefined) => unknown;

/** The user if `userOf` is missing: then the secret alone decides. */
const ANYBODY: unique symbol = Symbol('anybody');

const UNNAMED = new TypeError(
  'Expected `user` to return a string or a number, because servers share sessions',
);

/**
 * Tracks which connection holds which session. A session is identified by a client's secret of 128 bits
 * and by the user, if the application names one: the same secret of another user is another session.
 * Only the newest connection holds a session.
 *
 * It keeps one small object for each open connection that has sent a session, and nothing for other
 * connections. Without a registry it only knows the connections of this server: if a client reconnects
 * to another one, its older connection ends by its own timeout.
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
  #turn = 0;
  /** By the clock, so that epochs also rise over a restart. */
  readonly #firstEpoch: number = Date.now() * 1_000;
  #node: LeaseHolder | undefined;
  #isShared = false;

  /** Without `userOf`, all connections belong to one user, so the secret alone decides. */
  constructor(hooks: Hooks, userOf?: UserOf) {
    this.#hooks = hooks;
    this.#userOf = userOf;
  }

  /** Whether `enter` must be called for each connection. */
  get asksForUser(): boolean {
    return this.#userOf !== undefined;
  }

  /** Adds a new connection. `request` is undefined if unknown. */
  enter(holder: SessionHolder, request: IncomingMessage | undefined): void {
    if (this.#userOf !== undefined && request !== undefined) this.#requests.set(holder, request);
  }

  /**
   * Registers all sessions with a registry from now on. `isShared`: other servers use it too, so it
   * decides who holds a session.
   */
  register(node: LeaseHolder, isShared: boolean): void {
    this.#node = node;
    this.#isShared = isShared;
    for (let claim of this.#claims.values()) {
      for (;;) {
        this.#register(claim);
        if (claim.next === undefined) break;
        claim = claim.next;
      }
    }
  }

  /**
   * The fencing token of a session that is held: greater than that of every connection that held the
   * session before. `undefined` while the session is claimed or the registry is out of reach.
   */
  epochOf(claim: SessionClaim): number | undefined {
    const { registration } = claim;
    if (!this.#isShared || registration === undefined) return this.#firstEpoch + claim.turn;
    return this.#node?.vouchesFor(registration) ? registration.epoch : undefined;
  }

  /** Number of sessions that are held. */
  get size(): number {
    return this.#size;
  }

  /**
   * A connection has sent the session `id`. Returns whether it is bound now, so that the client can be
   * told. Ends the connection that held the session before; if that one is newer, ends this one
   * instead. A connection that is closing does not replace another. If the hook returns a promise, or
   * other servers must agree, `holder.bound()` is called later.
   */
  bind(holder: SessionHolder, id: string): boolean {
    const { session } = holder;
    if (!isSession(id)) return false;
    // Stored as bytes: half the memory of the text, and no reference to the message that the text was
    // cut from.
    const secret = atob(id.replaceAll('-', '+').replaceAll('_', '/'));
    if (typeof session !== 'number') {
      return session.secret === secret && this.epochOf(session) !== undefined;
    }
    const userOf = this.#userOf;
    if (userOf === undefined) return this.#give(holder, secret, ANYBODY, false);
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
      isBound = this.#give(holder, secret, user, isLate);
    });
    isLate = true;
    return isBound;
  }

  /** Releases the session of a connection that has ended. */
  release(holder: SessionHolder): void {
    this.#requests.delete(holder);
    if (typeof holder.session !== 'number') this.#take(holder.session);
  }

  #register(claim: SessionClaim): void {
    const user = claim.user === ANYBODY ? '' : nameOfUser(claim.user);
    if (user === undefined) {
      if (this.#isShared) this.#hooks.fail('user', claim.holder.socket, UNNAMED);
      return;
    }
    claim.registration = new Registration(claim, user, this.#isShared);
    this.#node?.add(claim.registration);
  }

  #give(holder: SessionHolder, secret: string, user: unknown, isAnswered: boolean): boolean {
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
    this.#turn += 1;
    const next = this.#claims.get(secret);
    const claim: SessionClaim = { secret, user, holder, order, turn: this.#turn, next };
    this.#claims.set(secret, claim);
    this.#size += 1;
    holder.session = claim;
    if (this.#node !== undefined) this.#register(claim);
    other?.holder.replace(holder.socket);
    if (this.#isShared && claim.registration !== undefined) return false; // until it is granted
    holder.bound({ epoch: this.#firstEpoch + claim.turn, isAnswered });
    return true;
  }

  #find(secret: string, user: unknown): SessionClaim | undefined {
    let claim = this.#claims.get(secret);
    while (claim !== undefined && !Object.is(claim.user, user)) claim = claim.next;
    return claim;
  }

  #take(claim: SessionClaim): void {
    if (claim.registration !== undefined) this.#node?.remove(claim.registration);
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
