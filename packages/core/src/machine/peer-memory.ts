import type { Millis } from '../time.ts';

/** Connections, or ends, in a row that make up our mind about an address. */
const IN_A_ROW = 2;
/** The longest that deaths in a row stretch a timeout to. */
const MAX_STRETCHED: Millis = 60_000;

/**
 * What is remembered of a peer from one connection to the next: one for each address, by origin and
 * path. A peer that does not speak is not dead, and one that has spoken is held to it.
 */
export class PeerMemory {
  #unanswered = 0; // connections in a row on which no ping was answered
  #refused = 0; // connections in a row that it closed right after our first ping
  #deaths = 0; // connections in a row that ended in a ping timeout
  #hasAnswered = false;

  /** Whether it is worth a ping: not two connections in a row without answer. */
  get speaks(): boolean {
    return this.#unanswered < IN_A_ROW && !this.refuses;
  }

  /** Whether it has closed two connections in a row right after our first ping. */
  get refuses(): boolean {
    return this.#refused >= IN_A_ROW;
  }

  /** Whether it has ever answered a ping of ours, so that silence is death and not ignorance. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Whether a connection without an answer is no death: it never answered, or did not the last time. */
  get forgives(): boolean {
    return !this.#hasAnswered || this.#unanswered > 0;
  }

  /**
   * `pingTimeout` as it is in force: doubled by each death in a row, up to 60 s. On a slow link an
   * impatient end finds nothing but deaths.
   */
  stretch(pingTimeout: Millis): Millis {
    if (this.#deaths === 0) return pingTimeout;
    const stretched = pingTimeout * 2 ** Math.min(this.#deaths, 16);
    return Math.max(pingTimeout, Math.min(stretched, MAX_STRETCHED));
  }

  /** It answered a ping, or sent one: it speaks. Only an answer in time ends a row of deaths. */
  answered(inTime: boolean): void {
    this.#hasAnswered = true;
    this.#unanswered = this.#refused = 0;
    if (inTime) this.#deaths = 0;
  }

  /** It closed a connection right after our first ping, with whatever code. */
  closedAfterFirstPing(): void {
    this.#refused += 1;
  }

  /** A connection came to nothing: by a ping timeout or otherwise, and without an answer or after one. */
  ended(byTimeout: boolean, wasAnswered: boolean): void {
    if (byTimeout) this.#deaths += 1;
    if (!wasAnswered) this.#unanswered += 1;
  }
}
