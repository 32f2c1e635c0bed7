import type { HeartbeatEvent, Millis, UnansweredReason } from '@wirebeat/core';
import type { CloseRecord } from '../close-record.ts';

/**
 * Identifies one connection, from the request for its address to its end. Ids are never reused, so
 * a fact about an older connection has no effect.
 */
export type ConnectionId = number;

/**
 * What a {@link Reconnector} may order. Perform its orders one after another. Each `end` is answered
 * by the fact `end` before the next order is performed.
 */
export interface OrderPort {
  /** Ask for the address and create a socket. A standby exists beside the connection in use. */
  dial(id: ConnectionId, isStandby: boolean): void;
  /** The standby is the connection in use from now on. */
  adopt(id: ConnectionId): void;
  /** Emit `open`, then call {@link Reconnector.emitted}. */
  open(id: ConnectionId): void;
  /** Call the `ready` function of the application. */
  prepare(id: ConnectionId): void;
  /** Start to send the queue, and emit what was received on a standby. */
  send(id: ConnectionId): void;
  /** Ping now, because the answer decides which connection is kept. */
  probe(id: ConnectionId): void;
  /** Keep messages in the queue until this is false, or until the end of the connection. */
  hold(isHeld: boolean): void;
  /** Start the closing handshake. */
  close(id: ConnectionId, code?: number, text?: string): void;
  /** Stop watching the socket. With a `text`, drop its connection at once, for that reason. */
  end(id: ConnectionId, text?: string): void;
  /** Stop sending. Emit `close` if there was an `open`, then call {@link Reconnector.emitted}. */
  lost(record: CloseRecord, isToClose: boolean): void;
  /** Emit `retry`. The deadline ends the wait. */
  retry(detail: { attempt: number; delay: Millis; cause: CloseRecord }): void;
  /** Emit `unanswered`. */
  unanswered(reason: UnansweredReason): void;
  /** Nothing follows. Emit `giveup` if there are `attempts`, and then `close` if `lost` did not. */
  closed(record: CloseRecord, isToClose: boolean, attempts?: number): void;
}

/** One order, as its name and its arguments. */
export type ReconnectOrder = {
  [Name in keyof OrderPort]: [name: Name, ...Parameters<OrderPort[Name]>];
}[keyof OrderPort];

/** Adds an order to those that are to be performed next. */
export type GiveOrder = (...order: ReconnectOrder) => void;

/** What happened on one connection, as arguments: testing the name narrows the detail. */
export type ConnectionFact =
  | HeartbeatEvent
  | [name: 'open', detail?: undefined]
  /** There is no address, or the socket has reported an error. */
  | [name: 'error', reason: 'abnormal' | 'no-address']
  /** The socket has closed, or has been dropped or left to close as ordered. */
  | [name: 'end', end: ConnectionEnd];

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
