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

/** The pings of one connection, and their ids. */
export class OutstandingPings {
  /** The number of pings sent. */
  sent = 0;
  /**
   * When the wait for a pong began: when the oldest unanswered ping was sent, even if it has been given
   * up since, or at the last pong if that is later.
   */
  owedSince: Instant = 0;
  /** Whether the peer answers pings with an id; undefined until it has answered one or ignored one. */
  answersIds: boolean | undefined;
  /** Those without an answer, in the order they were sent. */
  unanswered: OutstandingPing[] = [];

  /** The oldest unanswered ping. */
  get oldest(): OutstandingPing | undefined {
    return this.unanswered[0];
  }

  /** Whether a ping with this id is unanswered; without an argument, whether a bare ping is. */
  has(id?: string): boolean {
    return this.unanswered.some((ping) => ping.id === id);
  }

  /**
   * Adds a ping with `id`, or with a new id if it needs one. A bare ping unanswered
   * for longer than `lostAfter` ms is given up: the next bare pong does not answer it.
   */
  add(
    sentAt: Instant,
    sampled: boolean,
    asked: boolean,
    lostAfter: Millis,
    id: string | undefined = this.#nextId(asked),
  ): OutstandingPing {
    this.sent += 1;
    const ping = { seq: this.sent, id, sentAt, sampled };
    if (this.oldest === undefined) this.owedSince = Math.floor(sentAt);
    const since = sentAt - lostAfter;
    this.unanswered = this.unanswered.filter(
      (other) => other.id !== undefined || other.sentAt >= since,
    );
    // The oldest stays, because its pong comes first. A pong to a later ping also answers this one.
    if (this.unanswered.length === MAX_OUTSTANDING) this.unanswered.splice(1, 1);
    for (const other of this.unanswered) {
      if (other.id === id) other.sampled = ping.sampled = false; // their pongs look the same
    }
    this.unanswered.push(ping);
    return ping;
  }

  /**
   * Removes and returns the ping that a pong answers. Also removes all pings before it: messages
   * stay in order, so the peer has read them too. Undefined if the pong is unsolicited.
   */
  answer(id: string | undefined, now: Instant): OutstandingPing | undefined {
    const { oldest } = this;
    const index = this.unanswered.findIndex((ping) => ping.id === id);
    const ping = this.unanswered[index];
    if (ping === undefined) return undefined;
    if (id !== undefined) this.answersIds = true;
    else if (oldest?.seq === 1) this.answersIds = false; // the first ping has an id
    this.unanswered = this.unanswered.slice(index + 1);
    this.owedSince = now;
    return ping;
  }

  /** Marks all latencies as invalid, because this side was stalled and they include that time. */
  distrust(): void {
    for (const ping of this.unanswered) ping.sampled = false;
  }

  /**
   * The id of the next ping. The first has one. An `asked` ping (not a scheduled one) has one if
   * another ping is unanswered.
   */
  #nextId(asked: boolean): string | undefined {
    // A peer that has not answered an id yet may answer only bare pings: one is sent.
    const needsBare = !this.oldest || !(asked || this.answersIds || this.has());
    if (this.answersIds === false || (this.sent > 0 && needsBare)) return undefined;
    let next = this.sent + 1;
    while (this.has(next.toString(36))) next += 1; // the application chose that id
    return next.toString(36);
  }
}
