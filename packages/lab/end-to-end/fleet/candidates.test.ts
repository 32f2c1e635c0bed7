// A server that stalls is suspected by all of its clients. Each makes a second connection beside the
// first: so many dials are what a server that stalls needs least.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import type { ClientSettings } from '../../fleet/clients.ts';
import { mostWithin } from '../../fleet/histogram.ts';
import { wallClock } from '../../fleet/parent.ts';
import type { Program } from '../../fleet/program.ts';
import { BUCKET, mostInBucket } from '../../fleet/restart.ts';
import { MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { countOf, LIMIT, startClients, startServer } from './stage.ts';

const COUNT = IS_LONG ? 1_000 : 100;
const TIMING = { pingInterval: 4_000, pingTimeout: 20_000 };
const STALL = 8_000 + 2_000 * (MS - 1); // all have asked by then, and doubt
/** The wait before a second connection is anywhere below it. */
const SPREAD = 200;
/** In which dials count as made at once: by the instants at which they were due, so that a busy machine changes nothing. */
const AT_ONCE = 20;

async function start(context: TestContext, more: Partial<ClientSettings> = {}) {
  const { server, port } = await startServer(context, {
    kind: 'wirebeat',
    options: { pingInterval: 60_000, pingTimeout: 60_000, advertise: false },
    hasSessions: true,
  });
  const clients = await startClients(context, {
    ...{ kind: 'reconnecting', port, name: 'client', count: COUNT, within: TIMING.pingInterval },
    options: TIMING,
    ...more,
  });
  const all = () => clients.clientsWith('answered').size === COUNT; // so their sessions are known
  await clients.until(all, LIMIT);
  const dialsAfter = (instant: number) =>
    clients
      .of('dialled')
      .filter(({ at }) => at > instant)
      .map(({ detail }) => Number(detail['due']));
  return { server, clients, dialsAfter };
}

async function expectOneEach(server: Program, clients: Program): Promise<void> {
  const { sockets, connections } = await countOf(server);
  expect([sockets, connections]).toEqual([COUNT, COUNT]);
  expect(clients.clientsWith('opened').size).toBe(COUNT);
}

describe(`a server that stalls with ${COUNT} clients`, { concurrent: !IS_LONG }, () => {
  it(
    'is dialled once by each, at its own time; then each has one connection',
    async (context) => {
      const { server, clients, dialsAfter } = await start(context);
      await clients.ask('lateness');
      const stalledAt = wallClock();
      server.signal('SIGSTOP');
      await sleep(STALL);
      const dials = dialsAfter(stalledAt);
      const lateBy = await clients.ask<number>('lateness');
      expect(dials.length).toBeGreaterThan(COUNT / 2); // they did doubt
      expect(mostWithin(dials, BUCKET)).toBeLessThanOrEqual(
        2 * mostInBucket(COUNT, TIMING.pingInterval, lateBy),
      );
      server.signal('SIGCONT');
      await server.ask('lateness');
      await sleep(3_000 * MS); // a client that is answered closes its other connection
      await expectOneEach(server, clients);
      expect(dialsAfter(stalledAt).length).toBeLessThanOrEqual(COUNT);
    },
    120_000 * MS,
  );

  it(
    'is not dialled at once where all act at once',
    async (context) => {
      const { server, clients, dialsAfter } = await start(context);
      await sleep(TIMING.pingInterval / 2);
      const stalledAt = wallClock();
      server.signal('SIGSTOP');
      await clients.ask('send');
      await sleep(STALL);
      expect(mostWithin(dialsAfter(stalledAt), AT_ONCE)).toBeLessThanOrEqual(
        mostInBucket(COUNT, SPREAD, 0, AT_ONCE),
      );
      server.signal('SIGCONT');
      await server.ask('lateness');
      await sleep(3_000 * MS);
      await expectOneEach(server, clients);
    },
    120_000 * MS,
  );

  it(
    'is stormed by clients without chance',
    async (context) => {
      const { server, clients, dialsAfter } = await start(context, { isInStep: true });
      const stalledAt = wallClock();
      server.signal('SIGSTOP');
      await clients.ask('send');
      await sleep(STALL);
      expect(mostWithin(dialsAfter(stalledAt), AT_ONCE)).toBeGreaterThan(
        mostInBucket(COUNT, SPREAD, 0, AT_ONCE),
      );
    },
    120_000 * MS,
  );
});
