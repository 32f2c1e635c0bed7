import type { Stage } from './stages.ts';

/** The details of a failure that decide what to try. */
interface Failure {
  readonly stage: Stage;
  readonly code: string;
  readonly status?: number;
}

const UNKNOWN_ISSUER =
  'The certificate is not signed by an authority that this machine knows. Pass the certificate of the authority with --cacert FILE. If the server uses a public one, it may not send its intermediate certificates. -k connects without the check.';
const NO_TLS =
  'The server may not speak TLS on this port. Try ws:// instead of wss://, or another port.';
const EXPECTS_TLS = 'The server may expect TLS on this port. Try wss://.';
const DROPPED =
  'Nothing answered: a firewall drops the packets, the host or port is wrong, or the server is overloaded.';

/** Hints by error code. */
const HINTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'DNS does not know this name. Check the spelling, and the DNS server of this machine.',
  EAI_AGAIN: 'The DNS server did not answer. Check the network of this machine.',
  ECONNREFUSED: 'The host is up, but nothing listens on this port. Is the server running?',
  EHOSTUNREACH: 'There is no route to this host. Check the network of this machine, or a VPN.',
  ENETUNREACH: 'There is no route to this network. Check the network of this machine, or a VPN.',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_ISSUER,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  CERT_HAS_EXPIRED:
    'The certificate has expired: renew it. If it has not, check the clock of this machine.',
  CERT_NOT_YET_VALID: 'The certificate is not valid yet. Check the clock of this machine.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is for another host name. Use a name that it lists, or give the server a certificate for this one.',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  EPROTO: NO_TLS,
};

/** Hints by HTTP status. */
const STATUS_HINTS: Readonly<Record<number, string>> = {
  200: 'An ordinary page answered. A proxy may drop the `Upgrade` header, or the path is wrong.',
  400: 'The server did not recognize the handshake. A proxy may drop the `Upgrade` header.',
  401: 'The server wants credentials. Pass them with -H "Authorization: …" or -H "Cookie: …".',
  403: 'The server refuses this client. It may check the `Origin` header: pass -H "Origin: https://…".',
  404: 'The path is wrong, or a proxy does not route it to the WebSocket server.',
  426: 'The `Upgrade` header did not arrive. A proxy in front of the server drops it.',
  429: 'The server limits how often a client may connect. Try again later.',
  502: 'A proxy answered, but could not reach the server behind it.',
  503: 'The server or a proxy has no capacity now, or is being restarted.',
  504: 'A proxy answered, but the server behind it did not answer in time.',
};

/** Hints for a step that did not finish in time. */
const LATE: Readonly<Record<Stage, string>> = {
  dns: 'The DNS server did not answer. Check the network of this machine.',
  tcp: DROPPED,
  tls: 'The port accepts connections, but does not answer the TLS handshake. It may not speak TLS: try ws://.',
  upgrade:
    'The port accepts connections, but does not answer HTTP. The server may hang, or expect TLS: try wss://.',
};

/** Returns what to try after this failure, as sentences; `undefined` if nothing is known. */
export function hintFor({ stage, code, status }: Failure): string | undefined {
  if (status !== undefined) {
    const isRedirect = status >= 300 && status < 400;
    return isRedirect
      ? 'A WebSocket follows no redirect. Use the new address.'
      : STATUS_HINTS[status];
  }
  if (code === 'TIMEOUT') return stage === 'tcp' ? DROPPED : LATE[stage];
  if (stage === 'tls' && (code === 'ECONNRESET' || code === 'EPIPE')) return NO_TLS;
  const isNoHttp = code === 'ECONNRESET' || code.startsWith('HPE_');
  if (stage === 'upgrade' && isNoHttp) return EXPECTS_TLS;
  return HINTS[code];
}
