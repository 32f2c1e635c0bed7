/** A time in which a server told its application that a connection is current. */
export interface Reign {
  readonly client: string;
  readonly epoch: number;
  readonly from: number;
  /** When it was last said. */
  to: number;
}

/**
 * Checks that of each session one connection is current at a time, over all servers: when a connection
 * has become current, none with a smaller epoch may be said to be current any more.
 */
export class Epochs {
  readonly violations: string[] = [];
  readonly #reigns: Map<string, Reign[]> = new Map();

  get count(): number {
    return [...this.#reigns.values()].reduce((sum, reigns) => sum + reigns.length, 0);
  }

  /** At `at`, a server said that the client's connection is current. */
  said(client: string, epoch: number, at: number): void {
    const reigns = this.#reigns.get(client) ?? [];
    this.#reigns.set(client, reigns);
    const known = reigns.find((reign) => reign.epoch === epoch);
    if (known === undefined) reigns.push({ client, epoch, from: at, to: at });
    else known.to = Math.max(known.to, at);
  }

  /** Facts of several servers arrive in any order, so the check is made at the end. */
  check(): readonly string[] {
    for (const [client, reigns] of this.#reigns) {
      const inOrder = reigns.sort((a, b) => a.epoch - b.epoch);
      for (const [index, newer] of inOrder.entries()) {
        for (const older of inOrder.slice(0, index)) {
          if (older.to <= newer.from) continue;
          const late = Math.round(older.to - newer.from);
          this.violations.push(
            `${client}: an older epoch was current ${late} ms after a newer one`,
          );
        }
      }
    }
    return this.violations;
  }
}
