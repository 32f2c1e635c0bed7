import type { Instant, Millis } from '@wirebeat/core';
import type { PresenceChange, PresenceChanges, PresentUser, PresentUsers } from './registry.ts';

/** What a {@link PresenceView} reads. */
export interface PresenceSource {
  users(): Promise<PresentUsers>;
  changes(position: string): Promise<PresenceChanges | undefined>;
  now(): Instant;
  /** How long servers may take to register their connections again after the registry lost data. */
  readonly patience: Millis;
}

/**
 * Who is present, as one watcher sees it. Its position in the log and the users that it has returned
 * before decide which changes are new, so each is returned once, also if the log was lost.
 */
export class PresenceView {
  readonly #source: PresenceSource;
  readonly #users: Map<string, PresentUser> = new Map();
  /** Users who are missing since the log was lost. Their servers may register them again. */
  readonly #missing: Set<string> = new Set();
  #missingUntil: Instant = Number.POSITIVE_INFINITY;
  #position = '';

  constructor(source: PresenceSource) {
    this.#source = source;
  }

  /** Reads everybody who is present. */
  async load(): Promise<readonly PresentUser[]> {
    const { position, users } = await this.#source.users();
    this.#position = position;
    this.#users.clear();
    for (const user of users) this.#users.set(user.user, user);
    // Reading takes several calls. What changed meanwhile is in the log.
    for (;;) {
      const found = await this.#source.changes(this.#position);
      if (found === undefined) return this.load();
      if (found.changes.length === 0) return [...this.#users.values()];
      this.#read(found);
    }
  }

  /** Returns what has changed since the last call, up to one page of the log. */
  async pull(): Promise<readonly PresenceChange[]> {
    const found = await this.#source.changes(this.#position);
    const changes = found === undefined ? await this.#reload() : this.#read(found);
    if (this.#source.now() < this.#missingUntil) return changes;
    return [...changes, ...this.#giveUpMissing()];
  }

  #read({ position, changes }: PresenceChanges): PresenceChange[] {
    this.#position = position;
    return changes.flatMap((change) => this.#apply(change) ?? []);
  }

  /** Returns the change as it is for this watcher, or `undefined` if nothing is new. */
  #apply(change: PresenceChange): PresenceChange | undefined {
    const { type, user, node, at } = change;
    const known = this.#users.get(user);
    this.#missing.delete(user);
    if (type === 'leave') {
      return this.#users.delete(user) ? change : undefined;
    }
    if (known === undefined) {
      this.#users.set(user, { user, node, since: at });
      return { type: 'join', user, node, at };
    }
    if (known.node === node) return undefined;
    this.#users.set(user, { ...known, node });
    return { type: 'move', user, from: known.node, node, at };
  }

  /** The log does not reach back to the position: compares with everybody who is present now. */
  async #reload(): Promise<PresenceChange[]> {
    const { position, users } = await this.#source.users();
    this.#position = position;
    const present = new Set(users.map(({ user }) => user));
    for (const user of this.#users.keys()) if (!present.has(user)) this.#missing.add(user);
    this.#missingUntil = this.#source.now() + this.#source.patience;
    return users.flatMap(({ user, node, since }) => {
      return this.#apply({ type: 'join', user, node, at: since }) ?? [];
    });
  }

  #giveUpMissing(): PresenceChange[] {
    this.#missingUntil = Number.POSITIVE_INFINITY;
    const at = Date.now();
    const left = [...this.#missing].map((user): PresenceChange => {
      const { node = '' } = this.#users.get(user) ?? {};
      this.#users.delete(user);
      return { type: 'leave', user, node, at };
    });
    this.#missing.clear();
    return left;
  }
}
