import type { Millis } from '../time.ts';

/** What is known of the peer: nothing yet, that it lives, that its answer is overdue, that it is gone. */
export type HeartbeatStatus = 'idle' | 'alive' | 'suspect' | 'dead';

/**
 * Why a peer is dead: it fell silent after a ping, it sends but answers no ping, or it never
 * answered one and was silent for `maxSilence`.
 */
export type TimeoutReason = 'ping-timeout' | 'one-way' | 'max-silence';

/** An order of the machine to its shell, or news for it. */
export type HeartbeatAction =
  | {
      readonly type: 'ping';
      /** Counts the pings of a connection from 1. */
      readonly seq: number;
      /** Stands in the ping if it is not bare. */
      readonly id: string | undefined;
      /** Whether it is the connection's first, which says what protocol this is. */
      readonly first: boolean;
    }
  | { readonly type: 'pong'; readonly id: string | undefined }
  | { readonly type: 'stall'; readonly lateBy: Millis }
  | { readonly type: 'unanswered'; readonly silentFor: Millis }
  | {
      readonly type: 'timeout';
      readonly reason: TimeoutReason;
      readonly silentFor: Millis;
      /** That was in force: the death itself makes that of the next connection longer. */
      readonly pingTimeout: Millis;
    };

/** What a pong answered: the ping numbered `seq`, and all before it. */
export interface Answer {
  readonly seq: number;
  readonly id: string | undefined;
  /** Time since that ping. */
  readonly latency: Millis;
  /** Whether the latency counts: false if the pong was ambiguous or we were stalled meanwhile. */
  readonly sampled: boolean;
}
