import { HeartbeatError, type Millis } from '@wirebeat/core';

/** What was wrong with an upstream. */
export type UpstreamFault =
  /** It answered the handshake with another status than 101. */
  | 'refused'
  /** No connection came about: no such host, nobody listens, TLS failed. */
  | 'unreachable'
  /** It did not answer the handshake in time. */
  | 'timeout'
  /** Its answer to the handshake is none of RFC 6455 §4.2.2. */
  | 'invalid'
  /** It answered no Ping: a silent cut, a frozen process. */
  | 'dead';

/** The evidence of an {@link UpstreamError}. */
export interface UpstreamEvidence {
  readonly kind: UpstreamFault;
  /** Without query, user and password: it may stand in a log. */
  readonly url: string;
  /** The HTTP status, if it refused. */
  readonly status?: number | undefined;
  /** How long nothing was received, if it is dead. */
  readonly silentFor?: Millis | undefined;
  /** What was wrong with its answer. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** The upstream could not be reached, did not want us, or fell silent. */
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
  const why = detail ?? (cause as Partial<Error> | undefined)?.message; // an Error of any realm
  const words = {
    refused: `answered the handshake with status ${status}`,
    unreachable: 'cannot be reached',
    timeout: 'did not answer the handshake in time',
    invalid: 'answered the handshake by what is no WebSocket',
    dead: `has been silent for ${Math.round(silentFor ?? 0)} ms`,
  }[kind];
  return `The upstream ${url} ${words}${why === undefined ? '' : `: ${why}`}`;
}
