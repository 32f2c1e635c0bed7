// One client sends 100 000 pings a second and reads no answer; the others are asked how they are.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import type { FloodSettings } from '../../fleet/flood.ts';
import { Program } from '../../fleet/program.ts';
import type { ServerSettings } from '../../fleet/server.ts';
import { MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { countOf, LIMIT, startClients, startServer } from './stage.ts';

const RATE = 100_000;
const LASTS = (IS_LONG ? 20_000 : 4_000) * MS;
const OTHERS = 20;
const FLAT = 4 * 1_048_576; // bytes: what a heap differs by from one collection to the next

interface Result {
  readonly sent: number;
  readonly shownOut: number;
}

async function flood(
  context: TestContext,
  kind: ServerSettings['kind'],
  tier: FloodSettings['tier'],
) {
  const { server, port } = await startServer(context, { kind });
  const fleet = { kind: 'speaking', name: 'other', count: OTHERS, within: 100 } as const;
  const others = await startClients(context, { ...fleet, port });
  await others.ask('measure', { samples: 4 }); // warm
  const { memory: before } = await countOf(server);
  const flooder = new Program('@wirebeat/lab/fleet/flood', { port, rate: RATE, tier });
  context.onTestFinished(() => flooder.end());
  await server.until(() => server.clientsWith('opened').has('/flood'), LIMIT);
  await sleep(LASTS);
  const { memory: during } = await countOf(server);
  const result = await flooder.ask<Result>('end');
  return { server, others, grown: during - before, ...result };
}

describe.concurrent(`a flood of ${RATE} pings a second that reads nothing`, () => {
  it.for(['application', 'transport'] as const)(
    'is shown out with 1008 each time it comes, takes no memory, and harms nobody: %s',
    { timeout: 120_000 * MS },
    async (tier, context) => {
      const { server, others, grown, sent, shownOut } = await flood(context, 'wirebeat', tier);
      expect(sent).toBeGreaterThan(RATE / 100);
      expect(shownOut).toBeGreaterThanOrEqual(1);
      expect(grown).toBeLessThan(FLAT);
      const ends = server.of('ended').filter(({ client }) => client === '/flood');
      expect(ends.length).toBeGreaterThanOrEqual(shownOut);
      const floods = ends.filter(({ detail }) => detail['reason'] === 'flood');
      expect(floods.length).toBeGreaterThanOrEqual(shownOut);
      expect(new Set(floods.map(({ detail }) => detail['code']))).toEqual(new Set([1008]));
      expect(server.of('dead')).toEqual([]);
      expect(await others.ask('measure', { samples: 1 })).toHaveLength(OTHERS);
      expect(others.of('closed')).toEqual([]);
    },
  );

  it(
    'takes memory from a server that answers each',
    async (context) => {
      const { grown, shownOut } = await flood(context, 'echo', 'application');
      expect(shownOut).toBe(0);
      expect(grown).toBeGreaterThan(FLAT);
    },
    120_000 * MS,
  );
});
