// `wirebeat doctor` as a process, over real sockets: piped and on a terminal. Real proxies are in packages/lab.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it } from 'vitest';
import { CERT } from '../../../server/test/gateway/certificate.ts';
import { onTerminal, wirebeat } from '../command-line.ts';
import {
  atEnd,
  jsonLines,
  type Line,
  serve,
  serveSecurely,
  serveSilence,
  serveStatus,
  temporaryFolder,
  urlOf,
} from '../server.ts';
import { EXPIRED, OTHER_HOST } from './certificates.ts';
import { collectBefore } from './collecting-proxy.ts';

interface Diagnosis {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The findings by check. */
  readonly found: Readonly<Record<string, Line | undefined>>;
  readonly summary: Line | undefined;
}

/** Runs `wirebeat doctor --quick --json`. */
async function examine(url: string, ...more: readonly string[]): Promise<Diagnosis> {
  const limits = more.includes('--idle') ? [] : ['--quick'];
  const run = await wirebeat(['doctor', url, '--json', ...limits, ...more]);
  const lines = jsonLines(run.stdout);
  const found = lines.filter(({ type }) => type === 'finding');
  return {
    ...run,
    found: Object.fromEntries(found.map((line) => [String(line['check']), line])),
    summary: lines.at(-1),
  };
}

function trust(cert: string): readonly string[] {
  const file = join(temporaryFolder(), 'authority.pem');
  writeFileSync(file, cert);
  return ['--cacert', file];
}

describe('wirebeat doctor', () => {
  it('finds nothing wrong with a server that has a heartbeat', async () => {
    const { server, url } = await serve();
    attachHeartbeat(server);
    const { code, stderr, found, summary } = await examine(url);
    expect(stderr).toBe('');
    const checks = ['tcp', 'upgrade', 'compression', 'protocol-ping', 'buffering'];
    expect(Object.keys(found)).toEqual([...checks, 'application-ping']);
    for (const finding of Object.values(found)) {
      expect(finding).toMatchObject({ verdict: 'ok', url, message: expect.stringMatching(/\.$/) });
    }
    expect(found['upgrade']).toMatchObject({
      details: { status: 101, headers: { upgrade: 'websocket' }, upgradeMs: expect.any(Number) },
    });
    expect(summary).toMatchObject({ type: 'summary', failures: 0, warnings: 0, complete: true });
    expect(code).toBe(0);
  });

  it.each([
    ['a name that DNS does not know', 'ws://nobody.invalid/', 'dns', /DNS/],
    ['a port on which nothing listens', 'ws://127.0.0.1:1/', 'tcp', /nothing listens/],
  ])('finds %s', async (_, url, check, advice) => {
    const { code, found, summary } = await examine(url);
    expect(found[check]).toMatchObject({
      verdict: 'failure',
      advice: expect.stringMatching(advice),
    });
    expect(summary).toMatchObject({ failures: 1, complete: false });
    expect(code).toBe(1);
  });

  it.each([
    ['an unknown authority', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT', /--cacert/],
    ['an expired certificate', EXPIRED, 'CERT_HAS_EXPIRED', /renew it/],
    [
      'a certificate for another host',
      OTHER_HOST,
      'ERR_TLS_CERT_ALTNAME_INVALID',
      /another host name/,
    ],
  ])('finds %s', async (_, identity, openssl, advice) => {
    const { url } = await serveSecurely(identity);
    const { code, found } = await examine(url, ...(identity ? trust(identity.cert) : []));
    expect(found['tcp']).toMatchObject({ verdict: 'ok', details: { tcpMs: expect.any(Number) } });
    expect(found['tls']).toMatchObject({
      verdict: 'failure',
      advice: expect.stringMatching(advice),
      nginx: expect.stringMatching(/ssl_certificate/),
      haproxy: expect.stringMatching(/crt/),
      loadBalancer: expect.stringMatching(/certificate/),
      details: { code: openssl },
    });
    expect(code).toBe(1);
  });

  it('shows the version of TLS and when the certificate expires', async () => {
    const { url } = await serveSecurely();
    const { found } = await examine(url, '--protocol', ...trust(CERT));
    expect(found['tls']).toMatchObject({
      verdict: 'ok',
      details: { version: 'TLSv1.3', certificateExpires: '2120-01-01' },
    });
  });

  it('warns if the certificate is not checked, because of -k', async () => {
    const { url } = await serveSecurely(EXPIRED);
    const { code, found } = await examine(url, '-k', '--protocol');
    expect(found['tls']).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/not checked/),
    });
    expect(code).toBe(0);
  });

  it('finds a port without TLS', async () => {
    const { url } = await serve();
    const { found } = await examine(url.replace('ws:', 'wss:'));
    expect(found['tls']).toMatchObject({
      verdict: 'failure',
      advice: expect.stringMatching(/ws:\/\//),
      nginx: expect.stringMatching(/listen 443 ssl/),
    });
  });

  it.each([
    [200, /ordinary page/, /Upgrade \$http_upgrade/],
    [401, /-H/, /auth_basic/],
    [403, /Origin/, /deny/],
    [404, /path/, /proxy_pass/],
    [426, /drops it/, /Upgrade \$http_upgrade/],
    [502, /behind it/, /proxy_pass/],
    [504, /in time/, /proxy_pass/],
  ])('finds the HTTP status %d, with its headers', async (status, advice, nginx) => {
    const headers = 'Server: nginx/1.2\r\nSet-Cookie: id=SECRET\r\n';
    const url = await serveStatus(status, headers);
    const { code, stdout, found } = await examine(url);
    expect(found['upgrade']).toMatchObject({
      verdict: 'failure',
      message: expect.stringMatching(new RegExp(`status ${status} .*Answered by nginx/1.2\\.$`)),
      advice: expect.stringMatching(advice),
      nginx: expect.stringMatching(nginx),
      haproxy: expect.any(String),
      loadBalancer: expect.any(String),
      details: { code: `HTTP_${status}`, status, headers: { server: 'nginx/1.2' } },
    });
    expect(stdout).not.toContain('SECRET');
    expect(code).toBe(1);
  });

  it('finds a redirect, and names the new address without its query', async () => {
    const url = await serveStatus(301, 'Location: https://example.com/new?token=SECRET\r\n');
    const { stdout, found } = await examine(url);
    expect(found['upgrade']).toMatchObject({
      message: expect.stringMatching(/to https:\/\/example\.com\/new/),
      advice: expect.stringMatching(/redirect/),
    });
    expect(stdout).not.toContain('SECRET');
  });

  it('finds a proxy that drops the Upgrade header before a server of `ws`', async () => {
    const { url: behind } = await serve();
    const proxy = createServer((_, response) => {
      void fetch(behind.replace('ws:', 'http:')).then(({ status }) => {
        response.writeHead(status).end();
      });
    });
    proxy.on('upgrade', (request, socket) => {
      void fetch(behind.replace('ws:', 'http:')).then(({ status }) => {
        socket.end(`HTTP/1.1 ${status} ${request.method}\r\nContent-Length: 0\r\n\r\n`);
      });
    });
    atEnd(() => proxy.close());
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { found } = await examine(urlOf(proxy.address()));
    expect(found['upgrade']).toMatchObject({
      details: { status: 426 },
      advice: expect.stringMatching(/`Upgrade` header did not arrive/),
      nginx: expect.stringMatching(/proxy_set_header Upgrade/),
    });
  });

  it('finds a server that hangs before the handshake', async () => {
    const { found } = await examine(await serveSilence(), '-W', '1.5');
    expect(found['upgrade']).toMatchObject({
      verdict: 'failure',
      advice: expect.stringMatching(/may hang/),
      details: { code: 'TIMEOUT' },
    });
  });

  it('finds a subprotocol that the server does not know, and goes on without it', async () => {
    const { url } = await serve({ handleProtocols: () => false });
    const { code, found } = await examine(url, '--subprotocol', 'chat', '--protocol');
    expect(found['subprotocol']).toMatchObject({
      verdict: 'failure',
      message: expect.stringMatching(/does not accept the subprotocol chat: .* accepts .* without/),
    });
    expect(found['protocol-ping']).toMatchObject({ verdict: 'ok' });
    expect(code).toBe(1);
  });

  it('shows the subprotocol that the server chose', async () => {
    const { url } = await serve();
    const { code, found } = await examine(url, '--subprotocol', 'chat', '--protocol');
    expect(found['subprotocol']).toMatchObject({ details: { subprotocol: 'chat' } });
    expect(code).toBe(0);
  });

  it('shows whether permessage-deflate is used', async () => {
    const [off, on] = await Promise.all([serve(), serve({ perMessageDeflate: true })]);
    const [without, within] = await Promise.all([
      examine(off.url, '--protocol'),
      examine(on.url, '--protocol'),
    ]);
    expect(without.found['compression']).toMatchObject({ details: { isCompressed: false } });
    expect(within.found['compression']).toMatchObject({ details: { isCompressed: true } });
  });

  it('finds a handshake that fails only if compression is offered', async () => {
    const { server, url } = await serve();
    server.on('headers', (headers, { headers: asked }) => {
      const isOffered = asked['sec-websocket-extensions'] !== undefined;
      if (isOffered) headers.push('Sec-WebSocket-Extensions: x-unknown');
    });
    const { code, found } = await examine(url, '--protocol');
    expect(found['compression']).toMatchObject({
      verdict: 'failure',
      message: expect.stringMatching(/permessage-deflate .*Without it, it succeeds/),
      nginx: expect.stringMatching(/Sec-WebSocket-Extensions/),
    });
    expect(code).toBe(1);
  });

  it('warns if no application ping is answered, and exits with 0', async () => {
    const { url } = await serve();
    const { code, found, summary } = await examine(url, '-W', '1.5');
    expect(found['application-ping']).toMatchObject({
      verdict: 'warning',
      advice: expect.stringMatching(/wirebeat gateway/),
    });
    expect(summary).toMatchObject({ failures: 0, warnings: 1 });
    expect(code).toBe(0);
  });

  it('warns if the server closes the connection at an application ping', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => {
      socket.on('message', () => socket.close(1008, 'no\u001b[2J'));
    });
    const { code, stdout, found } = await examine(url);
    expect(found['application-ping']).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/close code 1008, no/),
    });
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(0);
  });

  it('fails if the server does not speak the protocol that was asked for', async () => {
    const { url } = await serve();
    const { code, found } = await examine(url, '--dialect', 'text', '-W', '1.5');
    expect(found['application-ping']).toMatchObject({ verdict: 'failure' });
    expect(code).toBe(1);
  });

  it('finds a server that answers no ping, and names a hung server and a proxy as possible causes', async () => {
    const { url } = await serve({ autoPong: false });
    const { code, found } = await examine(url, '--protocol', '-W', '1.5');
    expect(found['protocol-ping']).toMatchObject({
      verdict: 'failure',
      message: expect.stringMatching(/server hangs.*proxy/),
      haproxy: expect.any(String),
    });
    expect(code).toBe(1);
  });

  it('finds a server that closes at once', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => socket.close(1008, 'log in first'));
    const { code, found } = await examine(url);
    expect(found['protocol-ping']).toMatchObject({
      verdict: 'failure',
      message: expect.stringMatching(/close code 1008, log in first/),
      advice: expect.stringMatching(/credentials/),
    });
    expect(code).toBe(1);
  });

  it('finds a proxy that holds data back until there is enough', async () => {
    const { url } = await serve();
    const collecting = await collectBefore(url, { bytes: 4_096 });
    const { code, found } = await examine(collecting, '--protocol', '-W', '3');
    expect(found['buffering']).toMatchObject({
      verdict: 'failure',
      message: expect.stringMatching(/proxy .*collects data.*server may also have hung/),
    });
    expect(code).toBe(1);
  });

  it('finds a proxy that passes data on from time to time', async () => {
    const { url } = await serve();
    const collecting = await collectBefore(url, { time: 700 });
    const { code, found } = await examine(collecting, '--protocol');
    expect(found['buffering']).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/batches.*proxy .*collects data.*server hangs/),
    });
    expect(code).toBe(0);
  });

  it('searches for limits up to --idle, and says what to set', async () => {
    const { server, url } = await serve();
    server.on('connection', (socket) => {
      const end = () => socket.close(1001, 'idle');
      let timer = setTimeout(end, 2_000);
      socket.on('ping', () => {
        clearTimeout(timer);
        timer = setTimeout(end, 2_000);
      });
    });
    const { code, found } = await examine(url, '--protocol', '--idle', '4', '-W', '2');
    expect(found['limits']).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/^Idle timeout: .*Set pingInterval: \d+/),
      nginx: expect.stringMatching(/proxy_read_timeout/),
      haproxy: expect.stringMatching(/timeout tunnel/),
      loadBalancer: expect.stringMatching(/idle timeout/),
      details: { idleMs: expect.any(Number), pingIntervalMs: expect.any(Number) },
    });
    expect(code).toBe(0);
  });

  it('ends at Ctrl-C with what it knows', async () => {
    const { url } = await serve();
    const args = ['doctor', url, '--protocol', '--idle', '600'];
    const { code, stdout } = await wirebeat(args, (line, interrupt) => {
      if (line.includes('searching for limits')) interrupt();
    });
    expect(stdout).toMatch(/\nok +limits +Idle timeout: none found up to /);
    expect(stdout).toMatch(/\n0 failures, 0 warnings; not every check took place\n$/);
    expect(code).toBe(0);
  });

  it('shows failures in red on a terminal, and without colours if NO_COLOR is set or piped', async () => {
    const args = ['doctor', 'ws://127.0.0.1:1/', '--quick'];
    const [red, plain, piped] = await Promise.all([
      onTerminal(args),
      onTerminal(args, { NO_COLOR: '1' }),
      wirebeat(args),
    ]);
    const finding = 'failure  TCP               Connect ECONNREFUSED 127.0.0.1:1.';
    expect(red.shown).toContain(`\u001b[31m${finding}\u001b[39m\n`);
    const shown = [
      'examining ws://127.0.0.1:1/',
      finding,
      '  The host is up, but nothing listens on this port. Is the server running?',
      '1 failure, 0 warnings; not every check took place\n',
    ].join('\n');
    expect([plain.shown, piped.stdout]).toEqual([shown, shown]);
    expect([red.code, plain.code, piped.code]).toEqual([1, 1, 1]);
  });

  it('shows no secret of its URL or headers', async () => {
    const url = await serveStatus(404);
    const full = `${url.replace('//', '//me:SECRET@')}live?token=SECRET`;
    const args = ['doctor', full, '--quick', '-H', 'Authorization: SECRET'];
    const runs = await Promise.all([wirebeat(args), wirebeat([...args, '--json'])]);
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain('SECRET');
  });
});
