import {
  HeartbeatError,
  type HeartbeatStatus,
  type Millis,
  type PingOptions,
  type SocketData,
} from '@wirebeat/core';
import type { ReconnectEvent } from '../reconnect/events.ts';
import type { ReconnectingSocket } from '../snapshot-store.ts';

/** The state of the socket that each event carries to a tab. */
export interface SocketState
  extends Pick<
    ReconnectingSocket,
    'url' | 'readyState' | 'protocol' | 'extensions' | 'bufferedAmount' | 'latency'
  > {
  readonly status: HeartbeatStatus;
  readonly detectionBound: Millis | undefined;
  /** In ms since 1970, because each context has a `performance.now()` of its own. */
  readonly lastReceived: Millis | undefined;
}

/** What a tab asks for and waits for. */
export type Question =
  | [kind: 'ping', options: Omit<PingOptions, 'signal'>]
  | [kind: 'flushed', options?: undefined];

/**
 * A message from a tab. A tab that has not sent `join` has no part in the connection. `lock` is the
 * name of a lock that the tab holds as long as it lives.
 */
export type FromTab =
  | [kind: 'join', lock: string | undefined]
  | [kind: 'send', data: SocketData]
  | [kind: 'close', code?: number | undefined, reason?: string | undefined]
  | [kind: 'reconnect' | 'probe' | 'leave']
  | [kind: 'ask', id: number, ...Question];

/**
 * A message to a tab. `ready` is the first one, with the lock that the owner of the socket holds;
 * the others follow `join`.
 */
export type ToTab =
  | [kind: 'ready', lock: string | undefined]
  | [kind: 'state', state: SocketState]
  | [kind: 'event', state: SocketState, ...ReconnectEvent]
  | [kind: 'message', data: unknown, origin: string]
  | [kind: 'answer', id: number, value: unknown]
  | [kind: 'refusal', id: number, error: unknown];

/** The parts of a `MessagePort` that are used. */
export interface PortLike {
  // biome-ignore lint/suspicious/noExplicitAny: a message is structured data
  postMessage(message: any): void;
  start(): void;
  close(): void;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  addEventListener(type: string, listener: (event: any) => void): void;
}

/** Makes an error of ours ready to be posted: copying it would lose its fields. */
export function packed(error: unknown): unknown {
  if (!(error instanceof HeartbeatError)) return error;
  return { ...error, message: error.message, isHeartbeatError: true };
}

/** Makes the error again. It is no instance of its class, but it has its name, code and fields. */
export function unpacked(value: unknown): unknown {
  const { isHeartbeatError, name, code, message, ...fields } = Object(value) as HeartbeatError & {
    readonly isHeartbeatError?: boolean;
  };
  if (!isHeartbeatError) return value;
  return Object.assign(new HeartbeatError(name, code, message), fields);
}
