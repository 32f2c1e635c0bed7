import type { Millis, Scheduler } from '@wirebeat/core';
import type { Membership } from './membership.ts';

const AT_ONCE = 200; // pings that leave together
const PAUSE: Millis = 20;

/**
 * The members of a node whose lease has ended, until their clients have answered a ping.
 *
 * A node that was stopped still has the connections of clients that have died meanwhile, and reads what
 * they had sent before. Claiming their sessions again would bring back users who have left.
 */
export class ReturningMembers {
  readonly #scheduler: Scheduler;
  readonly #returned: (member: Membership) => void;
  readonly #waiting: Set<Membership> = new Set();
  #asked: Set<Membership> = new Set();

  /** `returned` is called for each client that has answered. */
  constructor(scheduler: Scheduler, returned: (member: Membership) => void) {
    this.#scheduler = scheduler;
    this.#returned = returned;
  }

  /** The lease has ended: an answer to an older ping proves nothing. */
  restart(members: Iterable<Membership>): void {
    this.#asked = new Set();
    for (const member of members) this.#waiting.add(member);
    this.ask();
  }

  delete(member: Membership): void {
    this.#waiting.delete(member);
  }

  /** Pings the clients that have no ping to answer, a few at a time. */
  ask(): void {
    const unasked = [...this.#waiting].filter((member) => !this.#asked.has(member));
    for (const member of unasked.slice(0, AT_ONCE)) void this.#ask(member);
    if (unasked.length <= AT_ONCE) return;
    this.#scheduler.at(this.#scheduler.now() + PAUSE, () => this.ask());
  }

  async #ask(member: Membership): Promise<void> {
    const asked = this.#asked;
    asked.add(member);
    const isAlive = await member.answers();
    asked.delete(member);
    if (isAlive && asked === this.#asked && this.#waiting.delete(member)) this.#returned(member);
  }
}
