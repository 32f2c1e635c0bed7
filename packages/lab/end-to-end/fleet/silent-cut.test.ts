// Half of a fleet is lost without a word, as behind a mast that fails; the other half is not.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Program } from '../../fleet/program.ts';
import type { ServerSettings } from '../../fleet/server.ts';
import { allowance, MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { countOf, LIMIT, pathsOf, startClients, startProxy, startServer } from './stage.ts';

const HALF = IS_LONG ? 500 : 50;
const WITHIN = IS_LONG ? 4_000 : 500;
const TIMING = IS_LONG
  ? { pingInterval: 3_000 * MS, pingTimeout: 3_000 * MS }
  : { pingInterval: 1_500 * MS, pingTimeout: 2_500 * MS };
const BOUND = TIMING.pingInterval + TIMING.pingTimeout + 250 + 3 * 260;
/** They leave the server to find out, and answer. */
const PATIENT = { pingInterval: 60_000 * MS, pingTimeout: 60_000 * MS };

/** Foreign clients and such that speak, half of each on a way that will be cut. */
async function start(context: TestContext, settings: ServerSettings) {
  const { server, port } = await startServer(context, settings);
  const before = await countOf(server);
  const [kept, cut] = [await startProxy(context, port), await startProxy(context, port)];
  const fleet = (name: string, { port }: { port: number }) =>
    startClients(context, {
      kind: 'mixed',
      port,
      name,
      count: HALF,
      within: WITHIN,
      options: PATIENT,
    });
  const [clients] = await Promise.all([fleet('kept', kept), fleet('lost', cut)]);
  await server.until(() => server.clientsWith('opened').size === 2 * HALF, LIMIT);
  await sleep(TIMING.pingInterval); // to their own time each
  return { server, before, cut, clients };
}

const lost = pathsOf({ name: 'lost', count: HALF });

function expectEachWithinBound(server: Program, cutAt: number): void {
  const dead = server.of('dead');
  expect(dead).toHaveLength(HALF);
  for (const { at, detail } of dead) {
    expect(detail).toMatchObject({ reason: 'ping-timeout', detectionBound: BOUND });
    const bound = BOUND + allowance(detail['stalls'] as number[], TIMING.pingTimeout);
    expect(detail['silentFor']).toBeLessThanOrEqual(bound);
    expect(at - cutAt).toBeLessThanOrEqual(bound);
  }
}

describe('a silent cut', { concurrent: !IS_LONG }, () => {
  it(
    'half of a fleet that is cut is ended: each once, within the bound, and nobody else',
    async (context) => {
      const options = { ...TIMING, advertise: false } as const;
      const { server, before, cut, clients } = await start(context, { kind: 'wirebeat', options });
      expect(server.of('ended')).toEqual([]);
      const cutAt = performance.timeOrigin + performance.now();
      cut.cut();
      await server.until(() => server.clientsWith('closed').size === lost.size, LIMIT);
      await sleep(BOUND / 2); // time for a second or a false report to show up
      expectEachWithinBound(server, cutAt);
      for (const name of ['dead', 'ended', 'closed']) {
        expect(server.of(name)).toHaveLength(lost.size);
        expect(server.clientsWith(name)).toEqual(lost);
      }
      expect(await countOf(server)).toMatchObject({ sockets: HALF, connections: HALF });

      // All is as it was before they came.
      await clients.ask('close');
      await server.until(() => server.of('closed').length === 2 * HALF, LIMIT);
      const { sockets, connections, descriptors } = await countOf(server);
      expect([sockets, connections]).toEqual([0, 0]);
      expect(descriptors).toBe(before.descriptors);
      expect(server.of('ended')).toHaveLength(2 * HALF);
    },
    240_000 * MS,
  );

  it(
    'nobody notices the cut without a heartbeat',
    async (context) => {
      const options = { pingInterval: false, advertise: false } as const;
      const { server, cut } = await start(context, { kind: 'wirebeat', options });
      cut.cut();
      await sleep(BOUND);
      expect(server.of('closed')).toEqual([]);
      expect(await countOf(server)).toMatchObject({ sockets: 2 * HALF, connections: 2 * HALF });
    },
    240_000 * MS,
  );
});
