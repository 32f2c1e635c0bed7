import type { Millis } from '../time.ts';

/**
 * How many connections in a row without an answer, or refused, decide that a peer gets no pings.
 */
const IN_A_ROW = 2;
/** The longest timeout after ping timeouts in a row. */
const MAX_STRETCHED: Millis = 60_000;

/**
 * What is remembered about a peer from one connection to the next. Use one memory per address
 * (origin and path). A peer that never answers pings is not dead; a peer that has answered must go
 * on answering.
 */
export class PeerMemory {
  #unanswered = 0; // connections in a row on which no ping was answered
  #refused = 0; // connections in a row that the peer closed right after the first ping
  #deaths = 0; // connections in a row that ended in a ping timeout
  #hasAnswered = false;

  /** Whether to ping the peer: false after two connections in a row unanswered or refused. */
  get speaks(): boolean {
    return this.#unanswered < IN_A_ROW && !this.refuses;
  }

  /** Whether the peer closed two connections in a row right after the first ping. */
  get refuses(): boolean {
    return this.#refused >= IN_A_ROW;
  }

  /** Whether the peer has ever answered a ping, so that a missing answer means that it is dead. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /**
   * Whether a missing answer is accepted: the peer never answered, or not on the last connection.
   */
  get forgives(): boolean {
    return !this.#hasAnswered || this.#unanswered > 0;
  }

  /**
   * Returns the `pingTimeout` in force, in ms: doubled by each ping timeout in a row, up to 60 s.
   * On a slow link, a timeout that stays too short would terminate every connection.
   */
  stretch(pingTimeout: Millis): Millis {
    return Math.max(pingTimeout, Math.min(pingTimeout * 2 ** this.#deaths, MAX_STRETCHED));
  }

  /**
   * Records a pong or ping from the peer. Only a pong within `pingTimeout` ends a row of timeouts.
   */
  answered(inTime: boolean): void {
    this.#hasAnswered = true;
    this.#unanswered = this.#refused = 0;
    if (inTime) this.#deaths = 0;
  }

  /** Lets the next connection be pinged, although those before it went unanswered. */
  askAgain(): void {
    this.#unanswered &&= IN_A_ROW - 1;
  }

  /** Records that the peer closed a connection right after the first ping, with any code. */
  closedAfterFirstPing(): void {
    this.#refused += 1;
  }

  /** Records that a peer timed out or was muted, and whether it had answered on that connection. */
  ended(byTimeout: boolean, wasAnswered: boolean): void {
    if (byTimeout) this.#deaths += 1;
    if (!wasAnswered) this.#unanswered += 1;
  }
}
