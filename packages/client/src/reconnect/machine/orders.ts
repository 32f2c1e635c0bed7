import type { Millis, UnansweredReason } from '@wirebeat/core';
import type { CloseRecord } from '../close-record.ts';

/**
 * Identifies one connection, from the request for its address to its end. Ids are never reused, so
 * a fact about an older connection has no effect.
 */
export type ConnectionId = number;

/**
 * What a {@link Reconnector} orders. Perform the orders in this order. Each of `detach` and
 * `terminate` is answered by {@link Reconnector.ended} before the next order is performed.
 */
export type ReconnectOrder =
  /** Ask for the address and create a socket. A standby exists beside the connection in use. */
  | {
      readonly type: 'dial';
      readonly id: ConnectionId;
      readonly isStandby: boolean;
    }
  /** The standby is the connection in use from now on. */
  | { readonly type: 'adopt'; readonly id: ConnectionId }
  /** Emit `open`, then call {@link Reconnector.emitted}. */
  | { readonly type: 'open'; readonly id: ConnectionId }
  /** Call the `ready` function of the application. */
  | { readonly type: 'prepare'; readonly id: ConnectionId }
  /** Start to send the queue, and emit what was received on a standby. */
  | { readonly type: 'send'; readonly id: ConnectionId }
  /** Ping now, because the answer decides which connection is kept. */
  | { readonly type: 'probe'; readonly id: ConnectionId }
  /** Keep messages in the queue until `release` or the end of the connection. */
  | { readonly type: 'hold' }
  | { readonly type: 'release' }
  /** Start the closing handshake. */
  | {
      readonly type: 'close';
      readonly id: ConnectionId;
      readonly code?: number | undefined;
      readonly text?: string | undefined;
    }
  /** Stop watching the socket. */
  | { readonly type: 'detach'; readonly id: ConnectionId }
  /** Stop watching the socket and drop its connection at once. */
  | { readonly type: 'terminate'; readonly id: ConnectionId; readonly text: string }
  /** Stop sending. Emit `close` if there was an `open`, then call {@link Reconnector.emitted}. */
  | { readonly type: 'lost'; readonly record: CloseRecord; readonly isToClose: boolean }
  /** Emit `retry`. The deadline ends the wait. */
  | {
      readonly type: 'retry';
      readonly attempt: number;
      readonly delay: Millis;
      readonly cause: CloseRecord;
    }
  /** Emit `unanswered`. */
  | { readonly type: 'unanswered'; readonly reason: UnansweredReason }
  /** Emit `giveup`, and then `close` if `lost` did not. */
  | {
      readonly type: 'giveup';
      readonly attempts: number;
      readonly cause: CloseRecord;
      readonly isToClose: boolean;
    }
  /** Emit the last `close`, because the user has closed. */
  | { readonly type: 'closed'; readonly record: CloseRecord };

/** How the socket of a connection ended, and what its heartbeat knew. */
export interface ConnectionEnd {
  readonly code: number;
  readonly text: string;
  readonly wasClean: boolean;
  /** Whether the server knew the session of this connection. */
  readonly isBound?: boolean;
  /** Whether the peer apparently closed because of the first ping. */
  readonly isPingRefused?: boolean;
  /** Whether its dialect only listens, and something was received after it opened. */
  readonly hasListened?: boolean;
  /** The rest of the {@link CloseRecord}. */
  readonly evidence?: Partial<CloseRecord> | undefined;
}

/** What is known when a peer has left pings unanswered. */
export interface UnansweredPings {
  readonly reason: UnansweredReason;
  /** How long nothing at all was received. */
  readonly silentFor: Millis;
  /** Whether the peer is still counted as one that may answer. */
  readonly mayAnswer: boolean;
}
