import { isListed, type Membership } from './membership.ts';

/** A connection to release. */
export interface Release {
  readonly name: string;
  /** Undefined if only the registry knew the connection. */
  readonly member?: Membership;
}

/** The connections of a node, and what the registry has not been told of them yet. */
export class MemberList {
  readonly #members: Map<number, Membership> = new Map();
  /** Members whose claim is to be sent, or sent again. */
  readonly #claims: Set<Membership> = new Set();
  #releases: Release[] = [];
  #listed = 0;

  /** How many connections the registry should list. */
  get listed(): number {
    return this.#listed;
  }

  /** Whether claims or releases are to be sent, so that the registry's list may differ. */
  get isUnsettled(): boolean {
    return this.#claims.size + this.#releases.length > 0;
  }

  get hasReleases(): boolean {
    return this.#releases.length > 0;
  }

  values(): IterableIterator<Membership> {
    return this.#members.values();
  }

  get(order: number): Membership | undefined {
    return this.#members.get(order);
  }

  add(member: Membership): void {
    this.#members.set(member.order, member);
    this.#claims.add(member);
  }

  /** The connection has ended. The registry need not be told if it has never heard of it. */
  remove(member: Membership, name: string): void {
    this.#members.delete(member.order);
    this.#claims.delete(member);
    if (member.phase !== 'new') this.#releases.push({ name, member });
  }

  /** Claims the sessions of members again that wait for an older connection. */
  claimWaiting(): void {
    for (const member of this.values()) if (member.phase === 'waiting') this.#claims.add(member);
  }

  nextClaims(count: number): readonly Membership[] {
    return [...this.#claims].slice(0, count);
  }

  nextReleases(count: number): readonly Release[] {
    return this.#releases.slice(0, count);
  }

  /** A claim was refused. Returns whether the member still wanted it. */
  refused(member: Membership): boolean {
    return this.#claims.delete(member);
  }

  /** The registry lists the member. Returns whether the member still wants that. */
  granted(member: Membership): boolean {
    if (!isListed(member)) {
      this.#listed += 1;
      member.phase = 'waiting';
    }
    return this.#claims.delete(member);
  }

  /** The registry has released the first ones. */
  released(releases: readonly Release[]): void {
    this.#releases = this.#releases.slice(releases.length);
    const isCounted = ({ member }: Release) => member === undefined || isListed(member);
    this.#listed -= releases.filter(isCounted).length;
  }

  claim(member: Membership): void {
    this.#claims.add(member);
  }

  /** The node has a new name, under which the registry lists nothing. */
  restart(): void {
    this.#claims.clear();
    this.#releases = [];
    this.#listed = 0;
    for (const member of this.values()) {
      member.phase = 'new';
      member.isCleared = false;
      member.epoch = 0;
    }
  }

  /** Compares with what the registry lists: claims what is missing, and releases what is too much. */
  reconcile(names: readonly string[], nameOf: (member: Membership) => string): void {
    const strangers = new Set(names);
    this.#listed = strangers.size;
    for (const member of this.values()) {
      if (strangers.delete(nameOf(member)) || member.phase === 'new') continue;
      member.phase = 'sent';
      member.isCleared = false;
      this.#claims.add(member);
    }
    for (const { name } of this.#releases) strangers.delete(name);
    for (const name of strangers) this.#releases.push({ name });
  }
}
