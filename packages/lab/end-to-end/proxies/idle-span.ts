import type { TestContext } from 'vitest';
import { findProgram } from '../../programs/find-program.ts';
import { IDLE_PROXIES, IdleProxy, type IdleProxyName } from '../../programs/idle-proxy.ts';
import { MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';

export const PROXIES: readonly IdleProxyName[] = ['nginx', 'HAProxy'];

/** A machine may be without one; CI may not. */
export function isMissing(name: IdleProxyName): boolean {
  return findProgram(IDLE_PROXIES[name].variable) === undefined && process.env['CI'] !== 'true';
}

const IDLE_SECONDS = 5;
/** The silence that the proxies cut after. */
export const IDLE: number = IDLE_SECONDS * 1_000;
export const PING_INTERVAL = 2_000;

/** How long a connection must live on beats alone. */
export const SPAN: number = IS_LONG ? 120_000 : 12_000;
/** Of a test that waits for it. */
export const LIMIT: number = SPAN + 60_000 * MS;
/** So many pongs at least come in that time, though the machine be busy and the path slow. */
export const PONGS: number = Math.floor(SPAN / PING_INTERVAL / 2);

/** A proxy for one test, in front of `to`. */
export async function startIdleProxy(
  { onTestFinished }: TestContext,
  name: IdleProxyName,
  to: number,
): Promise<IdleProxy> {
  const proxy = await IdleProxy.start(name, { to, idleSeconds: IDLE_SECONDS });
  onTestFinished(() => proxy.close());
  return proxy;
}
