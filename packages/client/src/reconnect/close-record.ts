import { CloseCode, type Millis, type TimeoutReason } from '@wirebeat/core';

/**
 * Why a connection ended or an attempt failed.
 *
 * `abnormal` is every end without a Close frame of the peer, also a refused connection: browsers do
 * not tell them apart.
 */
export type CloseReason =
  | TimeoutReason
  | 'connect-timeout'
  | 'ready-timeout'
  | 'not-ready'
  | 'unanswered'
  | 'peer-close'
  | 'fatal'
  | 'abnormal'
  | 'rotation'
  | 'replaced'
  | 'reconnect'
  | 'user';

/** How one connection ended, with the evidence. */
export interface CloseRecord {
  readonly reason: CloseReason;
  /**
   * RFC 6455 §7.1.5. 3008 for a timeout and for a suspect connection that was replaced, 1000 for a healthy
   * one that was, 1006 where there was no code.
   */
  readonly code: number;
  /**
   * RFC 6455 §7.1.6: what the peer said, or empty. Where we ended an open connection to use another, the
   * reason itself: `replaced`, `unanswered`, `reconnect` or `rotation`.
   */
  readonly text: string;
  readonly wasClean: boolean;
  /** Whether the connection had been open. */
  readonly wasOpen: boolean;
  /** Time since anything was last received; undefined if the connection was never open. */
  readonly silentFor?: Millis | undefined;
  /** The last latency measured; undefined if none was. */
  readonly latency?: Millis | undefined;
  /** The wait that the server asked for: in a beat, its reason or `Retry-After`; undefined if it did not. */
  readonly retryAfter?: Millis | undefined;
  /** The HTTP status with which the server refused the handshake. Only `ws` tells it. */
  readonly status?: number | undefined;

  // The rest is absent if the connection was never open.

  /** Time since it was open. */
  readonly age?: Millis;
  /** Time since anything was last sent. */
  readonly quietFor?: Millis;
  /** Pings sent since the last pong. */
  readonly missedPings?: number;
  /** How late a timer of ours was since the last pong: we ourselves did not run. */
  readonly lateBy?: Millis | undefined;
  /** Bytes that had been sent but had not left; undefined where the class does not tell. */
  readonly bufferedAmount?: number | undefined;
  /** Whether the page was hidden; undefined where there is no page. */
  readonly hidden?: boolean | undefined;
}

/** The end of an attempt of which there is no socket. */
export const NEVER_DIALLED: CloseRecord = {
  reason: 'abnormal',
  code: CloseCode.Abnormal,
  text: '',
  wasClean: false,
  wasOpen: false,
};

/** 4400–4499 follow HTTP's 4xx: the request was wrong, and would be wrong again. */
export function isFatal(code: number): boolean {
  return code >= 4400 && code <= 4499;
}

/** The reason that a close code of the peer gives. 1006 is abnormal even if it is called clean. */
export function reasonOf(code: number, fatal: (code: number) => boolean = isFatal): CloseReason {
  if (code === CloseCode.Abnormal) return 'abnormal';
  return fatal(code) ? 'fatal' : 'peer-close';
}
