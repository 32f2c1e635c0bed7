import { createGateway, type Gateway, type GatewayOptions } from '@wirebeat/server/gateway';
import type { TestContext } from 'vitest';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { type Keepalive, Upstream, type UpstreamName } from '../../programs/upstream.ts';
import { MS } from '../allowance.ts';

/** What may be set on the way from a page to an upstream. */
export interface Way {
  readonly keepalive?: Keepalive;
  readonly options?: Omit<GatewayOptions, 'upstream'>;
}

/** A gateway in front of an upstream, with a path on either side that can be hurt. */
export interface GatewayStage {
  readonly upstream: Upstream;
  readonly gateway: Gateway;
  /** From the page to the gateway: pages dial it. */
  readonly near: TcpProxy;
  /** From the gateway to the upstream. */
  readonly far: TcpProxy;
  /** What the gateway has told, in order: `dead upstream`, `unresponsive`, `end: closed 1000 by page`, … */
  readonly told: string[];
}

/** Its waits are short, so that a test is; towards pages longer than theirs, so that they drive. */
const UPSTREAM_HEARTBEAT = { pingInterval: 1_000, pingTimeout: 1_500 * MS };
const PAGE_HEARTBEAT = { pingInterval: 2_000, pingTimeout: 1_000 * MS };

export async function startStage(
  { onTestFinished }: TestContext,
  name: UpstreamName,
  { keepalive, options = {} }: Way = {},
): Promise<GatewayStage> {
  const upstream = await Upstream.start(name, keepalive);
  onTestFinished(() => upstream.end());
  const far = await TcpProxy.listen({ to: upstream.port });
  onTestFinished(() => far.close());
  const gateway = createGateway({
    upstream: `ws://127.0.0.1:${far.port}`,
    upstreamHeartbeat: UPSTREAM_HEARTBEAT,
    connectTimeout: 1_000 * MS,
    ...PAGE_HEARTBEAT,
    ...options,
  });
  onTestFinished(() => gateway.close());
  const { port } = await gateway.listen({ port: 0, host: '127.0.0.1' });
  const near = await TcpProxy.listen({ to: port });
  onTestFinished(() => near.close());
  return { upstream, gateway, near, far, told: listen(gateway) };
}

function listen(gateway: Gateway): string[] {
  const told: string[] = [];
  gateway.on('dead', ({ side }) => told.push(`dead ${side}`));
  gateway.on('unresponsive', () => told.push('unresponsive'));
  gateway.on('responsive', () => told.push('responsive'));
  gateway.on('beat', () => told.push('beat'));
  gateway.on('end', ({ reason, code, by }) => told.push(`end: ${reason} ${code} by ${by}`));
  return told;
}
