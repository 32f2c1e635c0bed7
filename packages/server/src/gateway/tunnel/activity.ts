import type { Instant, Millis } from '@wirebeat/core';
import type { TcpState } from './tcp-state.ts';

/** What the gateway knows about one side when a connection ends. Durations are in ms. */
export interface SideFacts {
  /** Time since anything was received. */
  readonly silentFor: Millis;
  /** Time since anything was sent or received. */
  readonly idleFor: Millis;
  /** The longest such time before that, which the connection survived. */
  readonly survivedIdle: Millis;
  /** Time since the oldest ping that was sent after the last receipt; `undefined` if there is none. */
  readonly unansweredFor: Millis | undefined;
  /** Whether the kernel of the peer acknowledges what was sent; `undefined` if this is unknown. */
  readonly tcp: TcpState | undefined;
}

/** When anything was last sent to and received from one side. */
export class Activity {
  #receivedAt: Instant;
  #at: Instant;
  #survivedIdle: Millis = 0;
  #askedAt: Instant | undefined;

  constructor(now: Instant) {
    this.#receivedAt = this.#at = now;
  }

  received(now: Instant): void {
    this.#receivedAt = now;
    this.#askedAt = undefined;
    this.sent(now);
  }

  sent(now: Instant): void {
    this.#survivedIdle = Math.max(this.#survivedIdle, now - this.#at);
    this.#at = now;
  }

  /** A ping is being sent. */
  asked(now: Instant): void {
    this.#askedAt ??= now;
  }

  factsAt(now: Instant): Omit<SideFacts, 'tcp'> {
    return {
      silentFor: now - this.#receivedAt,
      idleFor: now - this.#at,
      survivedIdle: this.#survivedIdle,
      unansweredFor: this.#askedAt === undefined ? undefined : now - this.#askedAt,
    };
  }
}
