import type { Instant, Millis } from '../time.ts';

/** A ping that no pong has answered yet. */
export interface OutstandingPing {
  /** Counts the pings of a connection from 1. */
  readonly seq: number;
  /** Stands in the ping, if it is not bare. */
  readonly id: string | undefined;
  readonly sentAt: Instant;
  /** Whether its latency will count. */
  sampled: boolean;
}

/** How many are remembered. */
const MAX_OUTSTANDING = 16;
const NONE: OutstandingPing[] = [];

/**
 * The pings of one connection that wait for their pong, in the order they were sent: one at least.
 * While none waits there is no such object, so that a connection at rest pays nothing for it.
 */
export class OutstandingPings {
  #pings: OutstandingPing[];
  #owedSince: Instant;

  constructor(ping: OutstandingPing) {
    this.#pings = [ping];
    this.#owedSince = Math.floor(ping.sentAt);
  }

  /** How many there are; 0 only after the last was answered. */
  get count(): number {
    return this.#pings.length;
  }

  /** The first that is out. */
  get oldest(): OutstandingPing {
    return this.#pings[0] as OutstandingPing;
  }

  /** Since when an answer is owed and no pong has come: the first ping out, or a pong after it. */
  get owedSince(): Instant {
    return this.#owedSince;
  }

  /** Whether a bare ping is out. */
  get hasBare(): boolean {
    return this.has(undefined);
  }

  /** Whether a ping is out that carries this id. */
  has(id: string | undefined): boolean {
    return this.#pings.some((ping) => ping.id === id);
  }

  /**
   * Adds one to those that are out; returns how many of them are given up. A bare ping that is out
   * for longer than `lostAfter` is lost: the next bare pong is not its.
   */
  add(ping: OutstandingPing, lostAfter: Millis): number {
    const before = this.#pings.length;
    const since = ping.sentAt - lostAfter;
    this.#pings = this.#pings.filter(({ id, sentAt }) => id !== undefined || sentAt >= since);
    // The oldest stays, for its pong comes first; the pong to a newer one answers the one left out.
    if (this.#pings.length === MAX_OUTSTANDING) this.#pings.splice(1, 1);
    const lost = before - this.#pings.length;
    if (ping.id === undefined) this.#distrustBareOnes(ping);
    this.#pings.push(ping);
    return lost;
  }

  /**
   * Takes out the ping that a pong answers, and all before it: messages keep their order, so the
   * peer has read them too. Undefined if nobody asked for this pong.
   */
  answer(id: string | undefined, now: Instant): OutstandingPing | undefined {
    const index = this.#pings.findIndex((ping) => ping.id === id);
    const ping = this.#pings[index];
    if (ping === undefined) return undefined;
    this.#pings = index + 1 === this.#pings.length ? NONE : this.#pings.slice(index + 1);
    this.#owedSince = Math.floor(now);
    return ping;
  }

  /** We were stalled: what the pings that are out measure is our own lateness. */
  distrust(): void {
    for (const ping of this.#pings) ping.sampled = false;
  }

  /** Two bare pings are out: their pongs cannot be told apart, so neither gives a sample. */
  #distrustBareOnes(ping: OutstandingPing): void {
    for (const other of this.#pings) {
      if (other.id === undefined) other.sampled = ping.sampled = false;
    }
  }
}
