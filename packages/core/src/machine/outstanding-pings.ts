import type { Instant, Millis } from '../time.ts';

/** A ping that no pong has answered yet. */
export interface OutstandingPing {
  /** The number of this ping on its connection, starting at 1. */
  readonly seq: number;
  /** The id in the ping; undefined for a bare ping. */
  readonly id: string | undefined;
  readonly sentAt: Instant;
  /** Whether its latency will be a valid sample. */
  sampled: boolean;
}

/** The maximum number of pings remembered. */
const MAX_OUTSTANDING = 16;
const NONE: OutstandingPing[] = [];

/**
 * The unanswered pings of one connection, in the order they were sent. The object exists only while
 * there is at least one, so an idle connection needs no memory for it.
 */
export class OutstandingPings {
  #pings: OutstandingPing[];
  #owedSince: Instant;

  constructor(ping: OutstandingPing) {
    this.#pings = [ping];
    this.#owedSince = Math.floor(ping.sentAt);
  }

  /** The number of unanswered pings; 0 only after the last one was answered. */
  get count(): number {
    return this.#pings.length;
  }

  /** The oldest unanswered ping. */
  get oldest(): OutstandingPing {
    return this.#pings[0] as OutstandingPing;
  }

  /** When the wait for a pong began: at the first unanswered ping, or at the last pong after it. */
  get owedSince(): Instant {
    return this.#owedSince;
  }

  /** Whether a bare ping is unanswered. */
  get hasBare(): boolean {
    return this.has(undefined);
  }

  /** Whether a ping with this id is unanswered. */
  has(id: string | undefined): boolean {
    return this.#pings.some((ping) => ping.id === id);
  }

  /**
   * Adds a ping; returns how many others are given up. A bare ping unanswered for longer than
   * `lostAfter` ms is lost: the next bare pong does not answer it.
   */
  add(ping: OutstandingPing, lostAfter: Millis): number {
    const before = this.#pings.length;
    const since = ping.sentAt - lostAfter;
    this.#pings = this.#pings.filter(({ id, sentAt }) => id !== undefined || sentAt >= since);
    // The oldest stays, because its pong comes first. A pong to a later ping also answers this one.
    if (this.#pings.length === MAX_OUTSTANDING) this.#pings.splice(1, 1);
    const lost = before - this.#pings.length;
    if (ping.id === undefined) this.#distrustBareOnes(ping);
    this.#pings.push(ping);
    return lost;
  }

  /**
   * Removes and returns the ping that a pong answers. Also removes all pings before it: messages
   * stay in order, so the peer has read them too. Undefined if the pong is unsolicited.
   */
  answer(id: string | undefined, now: Instant): OutstandingPing | undefined {
    const index = this.#pings.findIndex((ping) => ping.id === id);
    const ping = this.#pings[index];
    if (ping === undefined) return undefined;
    this.#pings = index + 1 === this.#pings.length ? NONE : this.#pings.slice(index + 1);
    this.#owedSince = Math.floor(now);
    return ping;
  }

  /** Marks all latencies as invalid, because this side was stalled and they include that time. */
  distrust(): void {
    for (const ping of this.#pings) ping.sampled = false;
  }

  /** Marks all bare pings as invalid samples if there are several: their pongs look the same. */
  #distrustBareOnes(ping: OutstandingPing): void {
    for (const other of this.#pings) {
      if (other.id === undefined) other.sampled = ping.sampled = false;
    }
  }
}
