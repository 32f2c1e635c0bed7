import { HeartbeatError, type Millis } from '@wirebeat/core';

/** Why an upstream failed. */
export type UpstreamFault =
  /** It answered the handshake with a status other than 101. */
  | 'refused'
  /** It could not be reached: unknown host, connection refused, or TLS failed. */
  | 'unreachable'
  /** It did not answer the handshake in time. */
  | 'timeout'
  /** Its response is not a valid handshake of RFC 6455 §4.2.2. */
  | 'invalid'
  /** It stopped answering Pings: the connection is lost, or its process hangs. */
  | 'dead';

/** The details of an {@link UpstreamError}. */
export interface UpstreamEvidence {
  readonly kind: UpstreamFault;
  /** The URL without query, user and password, so that it may be logged. */
  readonly url: string;
  /** HTTP status, if the upstream refused. */
  readonly status?: number | undefined;
  /** How long nothing was received, in ms, if the upstream is dead. */
  readonly silentFor?: Millis | undefined;
  /** What was wrong with the response, if it was invalid. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** The upstream could not be reached, refused the connection, or stopped answering. */
export class UpstreamError extends HeartbeatError {
  readonly kind: UpstreamFault;
  readonly url: string;
  readonly status: number | undefined;
  readonly silentFor: Millis | undefined;

  constructor(evidence: UpstreamEvidence) {
    super('UpstreamError', 'ERR_UPSTREAM', sentence(evidence), { cause: evidence.cause });
    this.kind = evidence.kind;
    this.url = evidence.url;
    this.status = evidence.status;
    this.silentFor = evidence.silentFor;
  }
}

function sentence({ kind, url, status, silentFor, detail, cause }: UpstreamEvidence): string {
  const why = detail ?? (cause as Partial<Error> | undefined)?.message; // works for an Error of any realm
  const words = {
    refused: `answered the handshake with status ${status}`,
    unreachable: 'cannot be reached',
    timeout: 'did not answer the handshake in time',
    invalid: 'answered the handshake by what is no WebSocket',
    dead: `has been silent for ${Math.round(silentFor ?? 0)} ms`,
  }[kind];
  return `The upstream ${url} ${words}${why === undefined ? '' : `: ${why}`}`;
}
