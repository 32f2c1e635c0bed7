// A server is restarted, and all of its clients come back to the next one.
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import type { ClientSettings } from '../../fleet/clients.ts';
import { histogram } from '../../fleet/histogram.ts';
import { Lateness } from '../../fleet/lateness.ts';
import { BUCKET, firstDelays, mostInBucket, type Restart, restart } from '../../fleet/restart.ts';
import { MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { LIMIT, startClients, startProxy, startServer } from './stage.ts';

const COUNT = IS_LONG ? 2_000 : 200;
const WITHIN = IS_LONG ? 5_000 : 2_500;
/** The first wait of the backoff is anywhere below it. */
const MIN_DELAY = 500;

let lateness: Lateness;
beforeAll(() => {
  lateness = new Lateness();
});
afterAll(() => lateness.end());

async function start(context: TestContext, more: Partial<ClientSettings> = {}): Promise<Restart> {
  const { server: old, port } = await startServer(context, { kind: 'wirebeat' });
  const { server: next, port: nextPort } = await startServer(context, { kind: 'wirebeat' });
  const way = await startProxy(context, port);
  const clients = await startClients(context, {
    ...{ kind: 'reconnecting', port: way.port, name: 'client', count: COUNT },
    within: IS_LONG ? 4_000 : 500,
    ...more,
  });
  const lead = () => {
    way.to = nextPort;
  };
  return { old, next, clients, count: COUNT, lateness, lead };
}

describe(`after a restart with ${COUNT} clients`, () => {
  it(
    'they come back evenly where the server was drained, each once',
    async (context) => {
      const stage = await start(context);
      const { counts, lateBy, isWhole } = await restart(stage, WITHIN, LIMIT);
      expect(isWhole).toBe(true);
      expect(Math.max(...counts)).toBeLessThanOrEqual(mostInBucket(COUNT, WITHIN, lateBy));
      expect(stage.clients.of('closed').map(({ detail }) => detail['code'])).toEqual(
        new Array(COUNT).fill(1012),
      );
      expect(stage.clients.of('dialled')).toHaveLength(2 * COUNT);
      expect(stage.old.clientsWith('closed').size).toBe(COUNT);
    },
    120_000 * MS,
  );

  it(
    'they come back with full jitter where it was killed',
    async (context) => {
      const stage = await start(context);
      const { isWhole } = await restart(stage, undefined, LIMIT);
      expect(isWhole).toBe(true);
      const delays = firstDelays(stage.clients);
      expect(delays).toHaveLength(COUNT);
      const shares = histogram(delays, 0, BUCKET);
      expect(shares).toHaveLength(MIN_DELAY / BUCKET);
      expect(Math.max(...shares)).toBeLessThanOrEqual(mostInBucket(COUNT, MIN_DELAY, 0));
      // That is no drain, and would be seen.
      expect(Math.max(...shares)).toBeGreaterThan(mostInBucket(COUNT, WITHIN, 0));
    },
    120_000 * MS,
  );

  it(
    'they come back all at once without jitter',
    async (context) => {
      const stage = await start(context, { isInStep: true });
      await restart(stage, undefined, LIMIT);
      const shares = histogram(firstDelays(stage.clients), 0, BUCKET);
      expect(Math.max(...shares)).toBeGreaterThan(mostInBucket(COUNT, MIN_DELAY, 0));
    },
    120_000 * MS,
  );
});
