import { type Instant, type Millis, type Scheduler, SystemScheduler } from '@wirebeat/core';
import {
  CHANGES_AT_ONCE,
  type Claim,
  clearedMessage,
  type Grant,
  instanceOf,
  LOG_LENGTH,
  nodeOf,
  type Place,
  type PresenceChange,
  type PresenceChanges,
  type PresentUser,
  type PresentUsers,
  REAPED_AT_ONCE,
  type Registry,
  type Renewal,
  revokedMessage,
} from './registry.ts';
import { checkRegistryTiming, longestGap, type RegistryTiming } from './registry-timing.ts';

/** Options of a {@link MemoryRegistry}. */
export interface MemoryRegistryOptions extends RegistryTiming {
  /** Clock. @default that of this process */
  readonly scheduler?: Scheduler;
}

interface Session {
  readonly id: string;
  /** The connection that claimed it last. */
  owner: Claimed | undefined;
  /** Older connections that have not ended. */
  readonly older: Set<string>;
}

interface Claimed {
  readonly connection: string;
  readonly rank: number;
  readonly epoch: number;
}

interface Listed {
  readonly session: Session;
  readonly user: string;
}

interface Node {
  /** When its lease ends. */
  until: number;
  /** When its connections are removed, by the clock of presence. */
  reapAt: number;
  readonly connections: Map<string, Listed>;
  readonly revoked: Set<string>;
}

/**
 * A {@link Registry} in the memory of this process. Use one for several servers of one process, or in
 * tests.
 *
 * @throws {InvalidOptionError} if an option is out of range or unknown.
 */
export class MemoryRegistry implements Registry {
  readonly lease: Millis;
  readonly grace: Millis;
  readonly #scheduler: Scheduler;
  readonly #nodes: Map<string, Node> = new Map();
  readonly #sessions: Map<string, Session> = new Map();
  /** The connections of each user, and since when. */
  readonly #places: Map<string, Map<string, number>> = new Map();
  readonly #present: Map<string, PresentUser> = new Map();
  readonly #leaving: Map<string, number> = new Map();
  readonly #log: PresenceChange[] = [];
  readonly #listeners: Map<string, (message: string) => void> = new Map();
  readonly #watchers: Set<() => void> = new Set();
  #trimmed = 0;
  #epoch = 0;
  #renewedAt = Number.POSITIVE_INFINITY; // never yet
  /** By how much the clock of presence is slow. */
  #lag: Millis = 0;

  constructor(options: MemoryRegistryOptions = {}) {
    const { scheduler = new SystemScheduler({ unref: true }), ...timing } = options;
    const { lease, grace } = checkRegistryTiming(timing);
    this.lease = lease;
    this.grace = grace;
    this.#scheduler = scheduler;
  }

  async renew(name: string, isNew: boolean): Promise<Renewal | undefined> {
    const now = this.#scheduler.now();
    const node = this.#nodes.get(name);
    if (node === undefined ? !isNew : node.until <= now) return undefined;
    const own = node ?? { until: 0, reapAt: 0, connections: new Map(), revoked: new Set() };
    const at = this.#presenceTime();
    this.#renewedAt = now;
    own.until = now + this.lease;
    own.reapAt = at + this.lease;
    this.#nodes.set(name, own);
    const { reaped, isReaping } = this.#reap(at);
    const isLeaving = this.#leave(at);
    return {
      held: own.connections.size,
      users: this.#present.size,
      reaped,
      isReaping: isReaping || isLeaving,
      revoked: [...own.revoked],
    };
  }

  async claim(name: string, claims: readonly Claim[]): Promise<readonly Grant[] | undefined> {
    const node = this.#nodes.get(name);
    if (node === undefined || node.until <= this.#scheduler.now()) return undefined;
    return claims.map((claim) => this.#claim(node, claim));
  }

  async release(name: string, connections: readonly string[], hold: Millis): Promise<void> {
    for (const connection of connections) this.#drop(name, connection, this.grace + hold);
  }

  async held(name: string): Promise<readonly string[]> {
    return [...(this.#nodes.get(name)?.connections.keys() ?? [])];
  }

  async remove(name: string): Promise<void> {
    if (this.#nodes.get(name)?.connections.size === 0) this.#nodes.delete(name);
  }

  async listen(instance: string, listener: (message: string) => void): Promise<void> {
    this.#listeners.set(instance, listener);
  }

  /** Delivers later, as a network would: never within the call that causes the message. */
  async send(instance: string, message: string): Promise<void> {
    queueMicrotask(() => this.#listeners.get(instance)?.(message));
  }

  async find(user: string): Promise<readonly Place[]> {
    const now = this.#scheduler.now();
    return [...(this.#places.get(user) ?? [])]
      .filter(([connection]) => (this.#nodes.get(nodeOf(connection))?.until ?? 0) > now)
      .map(([connection, since]) => ({ node: instanceOf(connection), connection, since }));
  }

  async users(): Promise<PresentUsers> {
    return {
      position: String(this.#trimmed + this.#log.length),
      users: [...this.#present.values()],
    };
  }

  async changes(position: string): Promise<PresenceChanges | undefined> {
    const from = Number(position) - this.#trimmed;
    if (!(from >= 0 && from <= this.#log.length)) return undefined; // also if it is no number
    const changes = this.#log.slice(from, from + CHANGES_AT_ONCE);
    return { position: String(Number(position) + changes.length), changes };
  }

  async onChange(listener: () => void): Promise<void> {
    this.#watchers.add(listener);
  }

  /** The clock without the times in which the nodes could not renew their leases: see `longestGap`. */
  #presenceTime(): Instant {
    const now = this.#scheduler.now();
    const gap = now - this.#renewedAt;
    if (gap > longestGap(this.lease)) {
      this.#lag += gap;
      this.#renewedAt = now;
    }
    return now - this.#lag;
  }

  #claim(node: Node, { connection, session: id, user, rank }: Claim): Grant {
    const session = this.#sessions.get(id) ?? { id, owner: undefined, older: new Set<string>() };
    const { owner } = session;
    const isRepeated = node.connections.has(connection);
    if (isRepeated && owner?.connection === connection) {
      return { epoch: owner.epoch, waitsFor: this.#waitsFor(session) };
    }
    if (isRepeated || (rank > 0 && (owner?.rank ?? 0) > rank)) return { epoch: 0, waitsFor: [] };
    const epoch = this.#nextEpoch();
    session.owner = { connection, rank: rank || epoch, epoch };
    this.#sessions.set(id, session);
    node.connections.set(connection, { session, user });
    this.#arrive(user, connection, owner?.connection);
    if (owner !== undefined) this.#revoke(session, owner.connection);
    return { epoch, waitsFor: this.#waitsFor(session) };
  }

  /** By the clock, so that epochs also rise over a restart. */
  #nextEpoch(): number {
    this.#epoch = Math.max(this.#epoch + 1, Date.now() * 1_000);
    return this.#epoch;
  }

  #revoke(session: Session, older: string): void {
    session.older.add(older);
    this.#nodes.get(nodeOf(older))?.revoked.add(older);
    void this.send(instanceOf(older), revokedMessage(older));
  }

  /** Removes older connections whose node has lost its lease, and returns the others. */
  #waitsFor(session: Session): readonly string[] {
    const now = this.#scheduler.now();
    for (const older of [...session.older]) {
      const node = nodeOf(older);
      if ((this.#nodes.get(node)?.until ?? 0) > now) continue;
      this.#drop(node, older, this.grace, false);
      session.older.delete(older);
    }
    return [...session.older];
  }

  #arrive(user: string, connection: string, older: string | undefined): void {
    if (user === '') return;
    const at = Date.now();
    const places = this.#places.get(user) ?? new Map<string, number>();
    const isFirst = places.size === 0;
    this.#places.set(user, places.set(connection, at));
    this.#leaving.delete(user);
    const node = instanceOf(connection);
    const present = this.#present.get(user);
    if (present === undefined) {
      this.#present.set(user, { user, node, since: at });
      return this.#append({ type: 'join', user, node, at });
    }
    const from = older === undefined ? present.node : instanceOf(older);
    if (from === node || (older === undefined && !isFirst)) return;
    this.#present.set(user, { ...present, node });
    this.#append({ type: 'move', user, from, node, at });
  }

  #drop(name: string, connection: string, grace: Millis, isTold = true): void {
    const node = this.#nodes.get(name);
    const listed = node?.connections.get(connection);
    if (node === undefined || listed === undefined) return;
    node.connections.delete(connection);
    node.revoked.delete(connection);
    const { session, user } = listed;
    session.older.delete(connection);
    if (session.owner?.connection === connection) session.owner = undefined;
    else if (isTold && session.owner !== undefined && session.older.size === 0) {
      const { connection: owner } = session.owner;
      void this.send(instanceOf(owner), clearedMessage(owner));
    }
    if (session.owner === undefined && session.older.size === 0) this.#sessions.delete(session.id);
    const places = this.#places.get(user);
    places?.delete(connection);
    if (places?.size !== 0) return;
    this.#places.delete(user);
    this.#leaving.set(user, this.#presenceTime() + grace);
  }

  #reap(at: Instant): { readonly reaped: number; readonly isReaping: boolean } {
    const [dead] = [...this.#nodes].filter(([, { reapAt }]) => reapAt <= at);
    if (dead === undefined) return { reaped: 0, isReaping: false };
    const [name, node] = dead;
    const connections = [...node.connections.keys()].slice(0, REAPED_AT_ONCE);
    for (const connection of connections) this.#drop(name, connection, this.grace);
    if (node.connections.size === 0) this.#nodes.delete(name);
    return { reaped: connections.length, isReaping: true };
  }

  /** Writes leaves. Returns whether more may be due. */
  #leave(at: Instant): boolean {
    const due = [...this.#leaving].filter(([, end]) => end <= at).slice(0, REAPED_AT_ONCE);
    for (const [user] of due) {
      this.#leaving.delete(user);
      const { node = '' } = this.#present.get(user) ?? {};
      this.#present.delete(user);
      this.#append({ type: 'leave', user, node, at: Date.now() });
    }
    return due.length === REAPED_AT_ONCE;
  }

  #append(change: PresenceChange): void {
    this.#log.push(change);
    if (this.#log.length > 2 * LOG_LENGTH) {
      this.#log.splice(0, LOG_LENGTH);
      this.#trimmed += LOG_LENGTH;
    }
    for (const watcher of this.#watchers) queueMicrotask(watcher);
  }
}
