import type { Beat, Instant, Millis } from '@wirebeat/core';

/** An application ping that waits for its answer. */
export interface PageBeat {
  readonly beat: Beat;
  /** Time of arrival, in ms of the wall clock. */
  readonly received: Millis;
}

/** A protocol Ping that has not been answered yet. */
export interface ProtocolPing<Waiting> {
  readonly payload: string;
  readonly sentAt: Instant;
  /** Its id in the machine. */
  readonly id: string | undefined;
  /** The application ping that its Pong answers; undefined if it was not sent for one. */
  readonly ping: Waiting | undefined;
}

/** What a Pong answers. */
export interface BridgedAnswer<Waiting> {
  /** The id of the Ping in the machine. */
  readonly id: string | undefined;
  /** The latest application ping that is answered, and when its Ping was sent. */
  readonly last: { readonly ping: Waiting; readonly sentAt: Instant } | undefined;
}

/** Largest number of Pings that wait for a Pong: as many as the machine tracks. */
const MAX_WAITING = 16;

/**
 * The application pings of one connection that are answered when the Pong of a protocol Ping comes, and
 * all protocol Pings on the way to the same peer, because one Pong may answer several.
 */
export class BridgedPings<Waiting extends PageBeat = PageBeat> {
  readonly #bridge: (ping: Waiting) => void;
  #asked: ProtocolPing<Waiting>[] = [];
  // Pings that had to wait. A later one replaces an earlier one, because its pong answers both
  // (docs/protocol.md); but a bare ping only replaces a bare one.
  #later: Waiting | undefined;
  #laterBare: Waiting | undefined;

  /** `bridge` sends a protocol Ping for an application ping, and calls {@link sent}. */
  constructor(bridge: (ping: Waiting) => void) {
    this.#bridge = bridge;
  }

  /** Whether no Ping waits for its Pong. */
  get isEmpty(): boolean {
    return this.#asked.length === 0;
  }

  /** Sends a Ping for an application ping, now or as soon as fewer Pings wait. */
  ask(ping: Waiting): void {
    if (this.#asked.length < MAX_WAITING) return this.#bridge(ping);
    if (ping.beat.id === undefined) this.#laterBare = ping;
    else {
      this.#later = ping;
      this.#laterBare = undefined;
    }
  }

  /** Records a Ping that is being sent. */
  sent(ping: ProtocolPing<Waiting>): void {
    if (this.#asked.length >= MAX_WAITING) this.#forget();
    this.#asked.push(ping);
  }

  /**
   * Returns what a Pong with this payload answers, or `undefined` if no such Ping waits. A Pong may answer
   * only the latest of several Pings, and then also answers the earlier ones: RFC 6455 §5.5.3. Call
   * {@link askLater} afterwards.
   */
  answer(payload: string): BridgedAnswer<Waiting> | undefined {
    const index = this.#asked.findIndex((asked) => asked.payload === payload);
    if (index === -1) return undefined;
    const answered = this.#asked.splice(0, index + 1);
    const id = answered[index]?.id;
    const last = answered.findLast(({ ping }) => ping !== undefined);
    if (last?.ping === undefined) return { id, last: undefined };
    return { id, last: { ping: last.ping, sentAt: last.sentAt } };
  }

  /** Sends the pings that had to wait. */
  askLater(): void {
    const waiting = [this.#later, this.#laterBare];
    this.#later = this.#laterBare = undefined;
    for (const ping of waiting) if (ping !== undefined) this.ask(ping);
  }

  /** Forgets all pings. */
  clear(): void {
    this.#asked = [];
    this.#later = this.#laterBare = undefined;
  }

  /** Makes room: drops the earliest Ping that was sent for no application ping, or else the oldest. */
  #forget(): void {
    const own = this.#asked.findIndex(({ ping }) => ping === undefined);
    this.#asked.splice(Math.max(own, 0), 1);
  }
}
