import type { Millis } from '../time.ts';

/**
 * What is known about the peer. `idle`: the connection is not open. `alive`: the peer responds.
 * `suspect`: an answer is overdue. `dead`: the peer has timed out.
 */
export type HeartbeatStatus = 'idle' | 'alive' | 'suspect' | 'dead';

/**
 * Why a peer is dead. `ping-timeout`: nothing was received within `pingTimeout` after a ping.
 * `one-way`: the peer sends data but no longer answers pings. `max-silence`: the peer does not
 * answer pings, and nothing was received for `maxSilence`.
 */
export type TimeoutReason = 'ping-timeout' | 'one-way' | 'max-silence';

/**
 * Why a connection has no pings. `silent`: the peer did not answer them. `refused`: the peer closed
 * two connections in a row right after the first ping. `foreign-protocol`: the subprotocol has no
 * place for pings.
 */
export type UnansweredReason = 'silent' | 'refused' | 'foreign-protocol';

/** What the driver of the machine must send or emit. */
export type HeartbeatAction =
  | {
      readonly type: 'ping';
      /** The number of this ping on its connection, starting at 1. */
      readonly seq: number;
      /** The id to put in the ping; undefined for a bare ping. */
      readonly id: string | undefined;
      /** Whether this is the first ping of the connection, which carries the protocol version. */
      readonly first: boolean;
    }
  | { readonly type: 'pong'; readonly id: string | undefined }
  | { readonly type: 'stall'; readonly lateBy: Millis }
  | { readonly type: 'unanswered'; readonly silentFor: Millis; readonly reason: UnansweredReason }
  | {
      readonly type: 'timeout';
      readonly reason: TimeoutReason;
      readonly silentFor: Millis;
      /** The timeout that was in force. The next connection gets a longer one. */
      readonly pingTimeout: Millis;
    };

/** What a pong answered: ping number `seq`, and all pings before it. */
export interface Answer {
  readonly seq: number;
  readonly id: string | undefined;
  /** Time since that ping, in ms. */
  readonly latency: Millis;
  /** Whether the latency is valid: false if the pong was ambiguous or this side was stalled. */
  readonly sampled: boolean;
}
