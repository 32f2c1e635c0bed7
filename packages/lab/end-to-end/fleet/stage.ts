// A server, clients and what lies between them, each in a process of its own but for that.

import type { TestContext } from 'vitest';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import type { ClientSettings } from '../../fleet/clients.ts';
import { Program } from '../../fleet/program.ts';
import type { Counts, ServerSettings } from '../../fleet/server.ts';
import { MS } from '../allowance.ts';

/** Long enough for whatever comes to rest by itself. */
export const LIMIT: number = 60_000 * MS;

export async function startServer(
  { onTestFinished }: TestContext,
  settings: ServerSettings,
  flags: readonly string[] = [],
): Promise<{ server: Program; port: number }> {
  const server = new Program('@wirebeat/lab/fleet/server', settings, flags);
  onTestFinished(() => server.end());
  await server.until(() => server.of('listening').length > 0, LIMIT);
  return { server, port: Number(server.of('listening')[0]?.detail['port']) };
}

/** A way to the server that can be cut. */
export async function startProxy({ onTestFinished }: TestContext, to: number): Promise<TcpProxy> {
  const proxy = await TcpProxy.listen({ to });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Resolves once all are open. */
export async function startClients(
  { onTestFinished }: TestContext,
  settings: ClientSettings,
): Promise<Program> {
  const clients = new Program('@wirebeat/lab/fleet/clients', settings);
  onTestFinished(() => clients.end());
  const all = () => clients.clientsWith('opened').size === settings.count;
  if (!(await clients.until(all, LIMIT))) throw new Error(`no fleet: ${settings.name}`);
  return clients;
}

export const countOf = (server: Program): Promise<Counts> => server.ask<Counts>('count');

/** The paths of the clients of that name. */
export const pathsOf = ({ name, count }: { name: string; count: number }): Set<string> =>
  new Set(Array.from({ length: count }, (_, index) => `/${name}/${index}`));
