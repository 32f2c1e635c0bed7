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

/**
 * The pings of one connection that wait for their pong, in the order they were sent.
 *
 * The routine ping is bare, a constant, so that a runtime can answer it without waking anybody;
 * its pong answers the oldest bare ping. The first ping of a connection, and one that is sent
 * beside another, carry an id. A peer that passes over the first and answers the bare one after it
 * is an auto-responder: it gets no more ids.
 */
export class OutstandingPings {
  #pings: OutstandingPing[] = [];
  #seq = 0;
  #peerKnowsIds: boolean | undefined;

  /** How many pings the connection has seen. */
  get sent(): number {
    return this.#seq;
  }

  get oldest(): OutstandingPing | undefined {
    return this.#pings[0];
  }

  /**
   * Adds the next ping. One that is `asked` for by somebody carries an id if another is out. A bare
   * one that is out for longer than `lostAfter` is lost: the next bare pong is not its.
   */
  add(now: Instant, asked: boolean, lostAfter: Millis): OutstandingPing {
    const id = this.#nextId(asked);
    const ping = { seq: ++this.#seq, id, sentAt: now, sampled: true };
    const isLost = (other: OutstandingPing) =>
      other.id === undefined && now - other.sentAt > lostAfter;
    if (this.#pings.some(isLost)) this.#pings = this.#pings.filter((other) => !isLost(other));
    // The oldest stays, for its pong comes first; the pong to a newer one answers the one left out.
    if (this.#pings.length === MAX_OUTSTANDING) this.#pings.splice(1, 1);
    if (id === undefined) this.#distrustBareOnes(ping);
    this.#pings.push(ping);
    return ping;
  }

  /**
   * Takes out the ping that a pong answers, and all before it: messages keep their order, so the
   * peer has read them too. Undefined if nobody asked for this pong.
   */
  answer(id: string | undefined): OutstandingPing | undefined {
    const index = this.#pings.findIndex((ping) => ping.id === id);
    if (index === -1) return undefined;
    const answered = this.#pings.splice(0, index + 1);
    if (id !== undefined) this.#peerKnowsIds = true;
    else if (this.#peerKnowsIds === undefined && answered[0]?.seq === 1 && index > 0) {
      this.#peerKnowsIds = false;
    }
    return answered.at(-1);
  }

  /** We were stalled: what the pings that are out measure is our own lateness. */
  distrust(): void {
    for (const ping of this.#pings) ping.sampled = false;
  }

  #nextId(asked: boolean): string | undefined {
    if (this.#peerKnowsIds === false) return undefined;
    const isFirst = this.#seq === 0;
    // The ping after an unanswered first one is bare, which finds the auto-responder.
    const isBeside = this.#pings.length > 0 && (asked || this.#seq > 1);
    return isFirst || isBeside ? (this.#seq + 1).toString(36) : undefined;
  }

  /** Two bare pings are out: their pongs cannot be told apart, so neither gives a sample. */
  #distrustBareOnes(ping: OutstandingPing): void {
    for (const other of this.#pings) {
      if (other.id === undefined) other.sampled = ping.sampled = false;
    }
  }
}
