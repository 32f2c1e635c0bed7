// `wirebeat ping --find-idle` through real reverse proxies.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { wirebeat } from '../../../cli/test/command-line.ts';
import { IdleProxy, type IdleProxyName } from '../../programs/idle-proxy.ts';
import { MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { isMissing, PROXIES } from './idle-span.ts';

/** The idle timeouts of the proxies, in s. */
const LIMITS = IS_LONG ? [5, 20, 60] : [5];
const LIMIT = 150_000 + 60_000 * MS;

interface Limits {
  readonly idle?: { readonly type: string; readonly afterMs: number };
  readonly lifetime?: object;
  readonly survivedIdleMs: number;
  readonly pingIntervalMs?: number;
}

/** Searches up to `upTo` seconds through a proxy that cuts after `idleSeconds`. */
async function search(
  { onTestFinished }: TestContext,
  name: IdleProxyName,
  { idleSeconds, upTo }: { readonly idleSeconds: number; readonly upTo: number },
): Promise<Limits> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, 'listening');
  const { port: to } = server.address() as AddressInfo;
  const proxy = await IdleProxy.start(name, { to, idleSeconds });
  onTestFinished(() => proxy.close());
  const url = `ws://127.0.0.1:${proxy.port}/`;
  const { code, stdout } = await wirebeat([
    'ping',
    url,
    '--find-idle',
    String(upTo),
    '-W',
    '2',
    '--json',
  ]);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Limits;
}

describe.concurrent.each(PROXIES)('wirebeat ping --find-idle behind %s', (name) => {
  it.skipIf(isMissing(name)).for(LIMITS)(
    'finds an idle timeout of %d s to within a tenth',
    { timeout: LIMIT },
    async (idleSeconds, context) => {
      const { idle, lifetime, pingIntervalMs } = await search(context, name, {
        idleSeconds,
        upTo: idleSeconds * 1.5,
      });
      expect(idle?.type).toBe('closed');
      const { afterMs } = { afterMs: 0, ...idle };
      expect(Math.abs(afterMs - idleSeconds * 1_000)).toBeLessThan(idleSeconds * 100);
      expect(lifetime).toBeUndefined();
      expect(pingIntervalMs).toBeLessThanOrEqual(idleSeconds * 500);
    },
  );

  it.skipIf(isMissing(name))(
    'says up to which silence it found nothing',
    { timeout: LIMIT },
    async (context) => {
      const { idle, survivedIdleMs } = await search(context, name, { idleSeconds: 50, upTo: 6 });
      expect(idle).toBeUndefined();
      expect(survivedIdleMs).toBe(6_000);
    },
  );
});
