import { CloseCode, type Millis, type TimeoutReason } from '@wirebeat/core';

/**
 * Why a connection ended or an attempt failed.
 *
 * `abnormal` is every end without a Close frame from the peer, including a refused connection,
 * because browsers do not distinguish them.
 */
export type CloseReason =
  | TimeoutReason
  | 'connect-timeout'
  | 'ready-timeout'
  | 'not-ready'
  | 'no-address'
  | 'unanswered'
  | 'peer-close'
  | 'fatal'
  | 'abnormal'
  | 'rotation'
  | 'replaced'
  | 'reconnect'
  | 'parked'
  | 'user';

/** How one connection ended, and what was known at that time. All durations are in ms. */
export interface CloseRecord {
  readonly reason: CloseReason;
  /**
   * The close code (RFC 6455 §7.1.5). 3008 for a timeout and for a suspect connection that was
   * replaced, 1000 for a healthy connection that was replaced, and 1006 if there was no code.
   */
  readonly code: number;
  /**
   * The close reason from the peer (RFC 6455 §7.1.6), or empty. If this side ended an open
   * connection itself, the value of `reason`: `replaced`, `unanswered`, `reconnect`, `parked` or
   * `rotation`.
   */
  readonly text: string;
  readonly wasClean: boolean;
  /** Whether the connection had been open. */
  readonly wasOpen: boolean;
  /** Time since anything was last received; undefined if the connection was never open. */
  readonly silentFor?: Millis | undefined;
  /** The last measured latency; undefined if there was no pong. */
  readonly latency?: Millis | undefined;
  /**
   * How long the server asked to wait, in a ping, in its close reason or in `Retry-After`;
   * undefined if it did not ask.
   */
  readonly retryAfter?: Millis | undefined;
  /** The HTTP status of a refused handshake. Only `ws` reports it. */
  readonly status?: number | undefined;

  // The following fields are absent if the connection was never open.

  /** Time since the connection opened. */
  readonly age?: Millis;
  /** Time since anything was last sent. */
  readonly quietFor?: Millis;
  /** Pings sent since the last pong. */
  readonly missedPings?: number;
  /** The delay of the last stall since the last pong; undefined if there was none. */
  readonly lateBy?: Millis | undefined;
  /** The bytes not yet sent by the socket; undefined if its class does not report them. */
  readonly bufferedAmount?: number | undefined;
  /** Whether the page was hidden; undefined if there is no page. */
  readonly hidden?: boolean | undefined;
}

/** The end of an attempt without a socket. */
export const NEVER_DIALLED: CloseRecord = {
  reason: 'abnormal',
  code: CloseCode.Abnormal,
  text: '',
  wasClean: false,
  wasOpen: false,
};

/** Whether a code is fatal. 4400–4499 follow 4xx of HTTP: the same request would fail again. */
export function isFatal(code: number): boolean {
  return code >= 4400 && code <= 4499;
}

/** Returns the reason for a close code of the peer. 1006 is abnormal even if `wasClean` is true. */
export function reasonOf(code: number, fatal: (code: number) => boolean = isFatal): CloseReason {
  if (code === CloseCode.Abnormal) return 'abnormal';
  return fatal(code) ? 'fatal' : 'peer-close';
}

/** Why this side ends a connection or an attempt. */
export type OwnReason = Exclude<CloseReason, 'peer-close' | 'fatal'>;

/** The part of a {@link CloseRecord} that the reason of this side determines. */
export type OwnEnd = Pick<CloseRecord, 'reason' | 'code' | 'text' | 'wasClean'>;

/** The reasons with 1006 if this side drops the connection. All others have 3008 (Timeout). */
const WITHOUT_CODE: readonly OwnReason[] = [
  'not-ready',
  'no-address',
  'abnormal',
  'rotation',
  'user',
];
/**
 * The reasons that are also the `text`: the link may be alive, so this side may have sent a close
 * reason.
 */
const WITH_TEXT: readonly OwnReason[] = ['replaced', 'unanswered', 'reconnect', 'parked'];

/**
 * Returns how this side ends a connection. `isHealthy`: it is closed with a handshake and not
 * dropped.
 */
export function ownEnd(reason: OwnReason, isHealthy: boolean): OwnEnd {
  const code = WITHOUT_CODE.includes(reason) ? CloseCode.Abnormal : CloseCode.Timeout;
  const text = isHealthy || WITH_TEXT.includes(reason) ? reason : '';
  return { reason, code: isHealthy ? CloseCode.Normal : code, text, wasClean: false };
}

/** What the socket and the heartbeat of an ended connection say. */
type Given = Pick<CloseRecord, 'code' | 'text' | 'wasClean'> & {
  readonly evidence?: Partial<CloseRecord> | undefined;
};

/**
 * Returns the record of an ended connection. If this side ended it, `own` counts, and not `reason`.
 * `age` is undefined if it was never open.
 */
export function recordOf(
  { code, text, wasClean, evidence }: Given,
  reason: CloseReason,
  own: OwnEnd | undefined,
  age: Millis | undefined,
): CloseRecord {
  const wasOpen = age !== undefined;
  const end = own ?? { reason, code, text, wasClean };
  return { ...end, wasOpen, ...evidence, ...(wasOpen && { age }) };
}
