import type { Instant, Millis } from './time.ts';

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
/** Shared by all that have none out, which is nearly all, nearly always. */
const NONE: OutstandingPing[] = [];
const NOT_OWED: Instant = -1;

/**
 * The pings of one connection that wait for their pong, in the order they were sent.
 *
 * The routine ping is bare, a constant, so that a runtime can answer it without waking anybody;
 * its pong answers the oldest bare ping. The first ping of a connection, and one that is sent
 * beside another, carry an id. A peer that passes over the first and answers the bare one after it
 * is an auto-responder: it gets no more ids.
 */
export class OutstandingPings {
  #pings: OutstandingPing[] = NONE;
  #peerKnowsIds: boolean | undefined;
  #owedSince: Instant = NOT_OWED;
  /** How many pings the connection has seen. */
  sent = 0;
  /** How many of them were passed over by an answer to a later one, or given up. */
  lost = 0;

  /**
   * Since when an answer is owed and no pong has come: the first ping out, or a pong after it.
   * Undefined if none is owed.
   */
  get owedSince(): Instant | undefined {
    return this.#owedSince === NOT_OWED ? undefined : this.#owedSince;
  }

  /** How many pings have come to an end, answered or lost. */
  get settled(): number {
    return this.sent - this.#pings.length;
  }

  /** Whether a bare ping is out. */
  get hasBare(): boolean {
    return this.#pings.some((ping) => ping.id === undefined);
  }

  /** Whether a ping is out that carries this id. */
  has(id: string): boolean {
    return this.#pings.some((ping) => ping.id === id);
  }

  /**
   * Adds the next ping. One that is `asked` for by somebody carries an id if another is out; an id
   * that is `given` is taken as it is. A bare ping that is out for longer than `lostAfter` is lost:
   * the next bare pong is not its.
   */
  add(now: Instant, asked: boolean, lostAfter: Millis, given?: string): OutstandingPing {
    const id = given ?? this.#nextId(asked);
    this.sent += 1;
    const ping = { seq: this.sent, id, sentAt: now, sampled: true };
    if (this.#pings.length === 0) this.#pings = [ping];
    else this.#addBeside(ping, now - lostAfter);
    if (this.#owedSince === NOT_OWED) this.#owedSince = Math.floor(now);
    return ping;
  }

  /**
   * Takes out the ping that a pong answers, and all before it: messages keep their order, so the
   * peer has read them too. Undefined if nobody asked for this pong.
   */
  answer(id: string | undefined, now: Instant): OutstandingPing | undefined {
    const index = this.#pings.findIndex((ping) => ping.id === id);
    const ping = this.#pings[index];
    if (ping === undefined) return undefined;
    if (id !== undefined) this.#peerKnowsIds = true;
    else if (index > 0 && this.#pings[0]?.seq === 1) this.#peerKnowsIds ??= false;
    this.lost += index;
    this.#pings = index + 1 === this.#pings.length ? NONE : this.#pings.slice(index + 1);
    this.#owedSince = this.#pings.length === 0 ? NOT_OWED : Math.floor(now);
    return ping;
  }

  /** We were stalled: what the pings that are out measure is our own lateness. */
  distrust(): void {
    for (const ping of this.#pings) ping.sampled = false;
  }

  #nextId(asked: boolean): string | undefined {
    if (this.#peerKnowsIds === false) return undefined;
    // Who has answered no id yet may be an auto-responder: a bare one finds out.
    const findsOut = !asked && this.#peerKnowsIds === undefined && !this.hasBare;
    if (this.sent > 0 && (this.#pings.length === 0 || findsOut)) return undefined;
    let next = this.sent + 1;
    while (this.has(next.toString(36))) next += 1; // somebody gave that one
    return next.toString(36);
  }

  /** Adds one to others that are out. Bare ones that were sent before `since` are lost. */
  #addBeside(ping: OutstandingPing, since: Instant): void {
    const before = this.#pings.length;
    this.#pings = this.#pings.filter(({ id, sentAt }) => id !== undefined || sentAt >= since);
    // The oldest stays, for its pong comes first; the pong to a newer one answers the one left out.
    if (this.#pings.length === MAX_OUTSTANDING) this.#pings.splice(1, 1);
    this.lost += before - this.#pings.length;
    if (ping.id === undefined) this.#distrustBareOnes(ping);
    this.#pings.push(ping);
  }

  /** Two bare pings are out: their pongs cannot be told apart, so neither gives a sample. */
  #distrustBareOnes(ping: OutstandingPing): void {
    for (const other of this.#pings) {
      if (other.id === undefined) other.sampled = ping.sampled = false;
    }
  }
}
