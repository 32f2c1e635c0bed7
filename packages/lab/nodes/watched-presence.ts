/** What a watcher reports: everybody, or one change. */
export interface Seen {
  readonly type: 'snapshot' | 'join' | 'leave' | 'move';
  readonly user?: string;
  readonly users?: readonly string[];
}

/** Checks what one watcher sees: everybody joins and leaves in turn. */
export class WatchedPresence {
  readonly violations: string[] = [];
  readonly present: Set<string> = new Set();
  /** When users have left. */
  readonly left: Map<string, number[]> = new Map();
  changes = 0;
  #hasSnapshot = false;

  saw({ type, user = '', users = [] }: Seen, at: number): void {
    if (type === 'snapshot') return this.#begin(users);
    this.changes += 1;
    if (!this.#hasSnapshot) this.violations.push(`${type} of ${user} before the snapshot`);
    const isPresent = this.present.has(user);
    if (type === 'join') {
      if (isPresent) this.violations.push(`${user} joined twice`);
      this.present.add(user);
    } else if (!isPresent) this.violations.push(`${type} of ${user}, who is not present`);
    if (type !== 'leave') return;
    this.present.delete(user);
    this.left.set(user, [...(this.left.get(user) ?? []), at]);
  }

  #begin(users: readonly string[]): void {
    if (this.#hasSnapshot) this.violations.push('a second snapshot');
    this.#hasSnapshot = true;
    for (const user of users) this.present.add(user);
  }
}
