// `wirebeat doctor` through real reverse proxies.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { wirebeat } from '../../../cli/test/command-line.ts';
import { IdleProxy, type IdleProxyName } from '../../programs/idle-proxy.ts';
import { MS } from '../allowance.ts';
import { isMissing, PROXIES } from './idle-span.ts';

const IDLE_SECONDS = 5;
const LIMIT = 60_000 + 60_000 * MS;

interface Finding {
  readonly check?: string;
  readonly verdict?: string;
}

/** Starts a plain server behind a proxy. Returns the URL of the proxy, and what ends the server. */
async function serveBehind(
  { onTestFinished }: TestContext,
  name: IdleProxyName,
  dropsUpgrade = false,
): Promise<{ readonly url: string; readonly endServer: () => void }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const endServer = (): void => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  onTestFinished(endServer);
  await once(server, 'listening');
  const { port: to } = server.address() as AddressInfo;
  const proxy = await IdleProxy.start(name, { to, idleSeconds: IDLE_SECONDS, dropsUpgrade });
  onTestFinished(() => proxy.close());
  return { url: `ws://127.0.0.1:${proxy.port}/`, endServer };
}

async function examine(url: string, ...args: readonly string[]) {
  const { code, stdout } = await wirebeat(['doctor', url, '--protocol', '--json', ...args]);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  return { code, of: (check: string) => lines.find((line) => line.check === check) };
}

describe.concurrent.each(PROXIES)('wirebeat doctor behind %s', (name) => {
  it.skipIf(isMissing(name))(
    'passes every check, and finds the idle timeout to within a tenth',
    { timeout: LIMIT },
    async (context) => {
      const { url } = await serveBehind(context, name);
      const { code, of } = await examine(url, '--idle', '7.5', '-W', '2');
      for (const check of ['tcp', 'upgrade', 'compression', 'protocol-ping', 'buffering']) {
        expect(of(check), check).toMatchObject({ verdict: 'ok' });
      }
      const limits = of('limits') as { readonly details: { readonly idleMs: number } };
      expect(limits).toMatchObject({ verdict: 'warning', nginx: expect.any(String) });
      expect(Math.abs(limits.details.idleMs - IDLE_SECONDS * 1_000)).toBeLessThan(
        IDLE_SECONDS * 100,
      );
      expect(code).toBe(0);
    },
  );

  it.skipIf(isMissing(name))(
    'says that the proxy cannot reach the server',
    { timeout: LIMIT },
    async (context) => {
      const { url, endServer } = await serveBehind(context, name);
      endServer();
      const { code, of } = await examine(url, '--quick');
      expect(of('upgrade')).toMatchObject({
        verdict: 'failure',
        details: { status: name === 'nginx' ? 502 : 503 },
        nginx: expect.stringMatching(/proxy_pass/),
        haproxy: expect.stringMatching(/show servers state/),
      });
      expect(code).toBe(1);
    },
  );
});

describe('wirebeat doctor behind nginx without the settings for WebSockets', () => {
  it.skipIf(isMissing('nginx'))(
    'names the settings, and the program that answered',
    { timeout: LIMIT },
    async (context) => {
      const { url } = await serveBehind(context, 'nginx', true);
      const { code, of } = await examine(url, '--quick');
      expect(of('upgrade')).toMatchObject({
        verdict: 'failure',
        message: expect.stringMatching(/status 426 .*Answered by nginx/),
        nginx: expect.stringMatching(/proxy_set_header Upgrade \$http_upgrade/),
      });
      expect(code).toBe(1);
    },
  );
});
