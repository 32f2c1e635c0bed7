import type { ServerSocket } from './server-socket.ts';

/** Who may hold a session: one connection. */
export interface SessionHolder {
  readonly socket: ServerSocket;
  /** A newer connection has come with the same session: this one ends before that is answered. */
  replace(by: ServerSocket): void;
}

/** What 128 random bits are in a beat: RFC 4648 §5 without padding. Less is no secret. */
const SESSION = /^[\w-]{22}$/;

interface Holding {
  readonly claim: SessionClaim;
  readonly user: unknown;
}

/**
 * Which connection holds which session. A session is a secret of the client's and bound to a user:
 * the same secret of another user is another session. One connection holds it, the newest.
 *
 * It knows the connections of this process alone. A client that comes back to another process leaves
 * its older connection there to its own timeout.
 */
export class Sessions {
  /** Hardly ever more than one a secret. */
  readonly #holdings: Map<string, readonly Holding[]> = new Map();
  readonly #claims: WeakMap<SessionHolder, SessionClaim> = new WeakMap();
  #entered = 0;

  /** A connection was opened. `userOf` is asked at its pings, until it is bound. */
  enter(holder: SessionHolder, userOf: () => unknown): void {
    this.#entered += 1;
    this.#claims.set(holder, new SessionClaim(this, holder, this.#entered, userOf));
  }

  /** What {@link SessionClaim.bind} says of a connection that has entered. */
  bind(holder: SessionHolder, id: string): boolean {
    return this.#claims.get(holder)?.bind(id) === true;
  }

  /** The connection has ended. */
  release(holder: SessionHolder): void {
    this.#claims.get(holder)?.release();
  }

  /** How many sessions are held. */
  get size(): number {
    let size = 0;
    for (const holdings of this.#holdings.values()) size += holdings.length;
    return size;
  }

  /** Who holds it; undefined if nobody does. */
  holder(id: string, user: unknown): SessionClaim | undefined {
    return this.#holdings.get(id)?.find((holding) => Object.is(holding.user, user))?.claim;
  }

  /** Gives it to `claim`, whoever held it. */
  give(id: string, user: unknown, claim: SessionClaim): void {
    const others = this.#others(id, user);
    this.#holdings.set(id, [...others, { claim, user }]);
  }

  /** Nobody holds it any more. */
  take(id: string, user: unknown): void {
    const others = this.#others(id, user);
    if (others.length > 0) this.#holdings.set(id, others);
    else this.#holdings.delete(id);
  }

  #others(id: string, user: unknown): readonly Holding[] {
    return (this.#holdings.get(id) ?? []).filter((holding) => !Object.is(holding.user, user));
  }
}

/** What one connection has to do with sessions: at most one is its own, for as long as it lives. */
export class SessionClaim {
  readonly holder: SessionHolder;
  /** Counts connections: the greater is the newer. */
  readonly #order: number;
  readonly #sessions: Sessions;
  #userOf: (() => unknown) | undefined; // until it is bound: it may hold a whole request
  #id: string | undefined;
  #user: unknown;

  constructor(sessions: Sessions, holder: SessionHolder, order: number, userOf: () => unknown) {
    this.#sessions = sessions;
    this.holder = holder;
    this.#order = order;
    this.#userOf = userOf;
  }

  /**
   * The peer says that its session is `id`. Whether it is bound, so that the peer may be told. The
   * connection that held it before is ended first; if that is the newer one, this is ended instead.
   */
  bind(id: string): boolean {
    if (this.#id !== undefined) return this.#id === id;
    if (!SESSION.test(id)) return false;
    const user = this.#ask();
    if (user == null || this.#userOf === undefined) return false; // who was asked may end us
    const other = this.#sessions.holder(id, user);
    if (other !== undefined && other.#order > this.#order) {
      this.holder.replace(other.holder.socket);
      return false;
    }
    this.#id = id;
    this.#user = user;
    this.#userOf = undefined;
    this.#sessions.give(id, user, this);
    other?.holder.replace(this.holder.socket);
    return true;
  }

  /** The connection has ended. */
  release(): void {
    this.#userOf = undefined;
    const id = this.#id;
    if (id === undefined || this.#sessions.holder(id, this.#user) !== this) return;
    this.#sessions.take(id, this.#user);
  }

  #ask(): unknown {
    try {
      return this.#userOf?.();
    } catch (error) {
      void Promise.reject(error); // as that of a listener is reported
      return undefined;
    }
  }
}
