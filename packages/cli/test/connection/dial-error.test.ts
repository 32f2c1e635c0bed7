import { describe, expect, it } from 'vitest';
import { DialError } from '../../src/connection/dial-error.ts';
import type { Stage } from '../../src/connection/stages.ts';

function hintOf(stage: Stage, code: string, status?: number): string | undefined {
  return new DialError({ stage, code, message: '', ...(status !== undefined && { status }) }).hint;
}

describe('DialError', () => {
  it.each([
    ['dns', 'ENOTFOUND', /spelling/],
    ['dns', 'TIMEOUT', /DNS server did not answer/],
    ['tcp', 'ECONNREFUSED', /nothing listens/],
    ['tcp', 'TIMEOUT', /firewall/],
    ['tls', 'SELF_SIGNED_CERT_IN_CHAIN', /--cacert FILE/],
    ['tls', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', /intermediate certificates/],
    ['tls', 'CERT_HAS_EXPIRED', /clock/],
    ['tls', 'ERR_TLS_CERT_ALTNAME_INVALID', /another host name/],
    ['tls', 'ERR_SSL_WRONG_VERSION_NUMBER', /Try ws:\/\//],
    ['tls', 'ECONNRESET', /Try ws:\/\//],
    ['upgrade', 'ECONNRESET', /Try wss:\/\//],
    ['upgrade', 'HPE_INVALID_CONSTANT', /Try wss:\/\//],
    ['upgrade', 'TIMEOUT', /hang/],
  ] as const)('gives a hint for the step %s with %s', (stage, code, hint) => {
    expect(hintOf(stage, code)).toMatch(hint);
  });

  it.each([
    [200, /ordinary page/],
    [301, /redirect/],
    [401, /credentials/],
    [403, /Origin/],
    [404, /path/],
    [426, /Upgrade/],
    [502, /behind it/],
  ])('gives a hint for the HTTP status %d', (status, hint) => {
    expect(hintOf('upgrade', `HTTP_${status}`, status)).toMatch(hint);
  });

  it('gives no hint for a code that it does not know', () => {
    expect(hintOf('tcp', 'EWHAT')).toBeUndefined();
    expect(hintOf('upgrade', 'HTTP_418', 418)).toBeUndefined();
  });
});
