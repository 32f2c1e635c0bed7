import type { DialError } from '../connection/dial-error.ts';
import type { Stage } from '../connection/stages.ts';
import { answeredBy, shownHeaders } from './answer-headers.ts';
import type { Finding, Remedies } from './finding.ts';
import {
  PASS_CREDENTIALS,
  PASS_UPGRADE,
  REACH_SERVER,
  RENEW_CERTIFICATE,
  ROUTE_PATH,
  SERVE_TLS,
} from './remedies.ts';

/** What to change in a proxy, by the HTTP status that it passes on. */
const BY_STATUS: Readonly<Record<number, Remedies>> = {
  200: PASS_UPGRADE,
  400: PASS_UPGRADE,
  401: PASS_CREDENTIALS,
  403: PASS_CREDENTIALS,
  404: ROUTE_PATH,
  426: PASS_UPGRADE,
  502: REACH_SERVER,
  503: REACH_SERVER,
  504: REACH_SERVER,
};

/** Codes of a server that does not speak TLS. */
const NO_TLS: ReadonlySet<string> = new Set([
  'EPROTO',
  'ECONNRESET',
  'EPIPE',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);

/** Says why no connection was opened, and what to change. */
export function findingOf(error: DialError): Finding {
  const { stage, code, status, message, hint, progress } = error;
  const { headers } = progress;
  return {
    check: stage,
    verdict: 'failure',
    text: `${sentence(message)}${answeredBy(headers)}`,
    advice: hint,
    remedies: remediesFor(stage, code, status),
    details: { code, ...(status !== undefined && { status }), headers: shownHeaders(headers) },
  };
}

function remediesFor(stage: Stage, code: string, status?: number): Remedies | undefined {
  if (status !== undefined) return BY_STATUS[status];
  if (stage === 'dns') return undefined; // no proxy was reached
  if (stage === 'tcp') return code === 'ECONNREFUSED' ? undefined : REACH_SERVER;
  if (stage === 'tls') {
    return NO_TLS.has(code) || code === 'TIMEOUT' ? SERVE_TLS : RENEW_CERTIFICATE;
  }
  return code === 'TIMEOUT' ? REACH_SERVER : PASS_UPGRADE;
}

/** Turns the message of an error into a sentence. */
export function sentence(message: string): string {
  const text = message.trim();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
