import { VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../../src/attach.ts';
import { MemoryRegistry } from '../../src/fleet/memory-registry.ts';
import { VirtualServer, type VirtualSocket } from '../virtual-server.ts';

/** A registry that notes what it is asked to renew and to remove. */
class NotingRegistry extends MemoryRegistry {
  readonly calls: string[] = [];

  override async renew(name: string, isNew: boolean): ReturnType<MemoryRegistry['renew']> {
    this.calls.push('renew');
    return super.renew(name, isNew);
  }

  override async remove(name: string): Promise<void> {
    this.calls.push('remove');
    return super.remove(name);
  }
}

/** A server that was detached, and whose node has closed. */
async function closed() {
  const scheduler = new VirtualScheduler();
  const registry = new NotingRegistry({ scheduler });
  const server = new VirtualServer();
  const heartbeat = attachHeartbeat<VirtualSocket>(server, { scheduler, registry });
  const advance = async (time: number) => {
    const end = scheduler.now() + time;
    while (scheduler.now() < end) {
      scheduler.advanceTo(Math.min(end, scheduler.now() + 500));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await advance(1_000);
  heartbeat.detach();
  await advance(1_000);
  expect(registry.calls).toEqual(['renew', 'remove']);
  registry.calls.length = 0;
  return { scheduler, registry, heartbeat, advance, instance: heartbeat.presence.node };
}

describe('a node that has closed', () => {
  it.each<[string, (node: Awaited<ReturnType<typeof closed>>) => Promise<unknown>]>([
    ['its server is drained', ({ heartbeat }) => heartbeat.drain()],
    ['its server is detached again', async ({ heartbeat }) => heartbeat.detach()],
    [
      'a late message says that a connection was revoked',
      ({ registry, instance }) => registry.send(instance, `revoked ${instance}.0:1`),
    ],
    [
      'a late message says that a session is free',
      ({ registry, instance }) => registry.send(instance, `cleared ${instance}.0:1`),
    ],
  ])('takes no new lease and leaves no timer when %s', async (_, act) => {
    const node = await closed();
    await act(node);
    await node.advance(60_000);
    expect(node.registry.calls).not.toContain('renew');
    expect(node.scheduler.pending).toBe(0);
  });
});
