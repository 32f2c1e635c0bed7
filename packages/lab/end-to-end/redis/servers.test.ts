// Servers that share a real Redis, over real sockets: a drain, and a Redis that goes away.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { findProgram } from '../../programs/find-program.ts';
import { MS } from '../../programs/time-factor.ts';
import { CLIENTS, connectIoredis, connectNodeRedis } from '../../redis/redis-clients.ts';
import { RedisServer, SERVERS } from '../../redis/redis-server.ts';
import { Stage, wait } from './stage.ts';

const TIMING = { lease: 2_000 * MS, grace: 2_000 * MS };
const libraries = Object.entries(CLIENTS);
const USERS = ['ann', 'bob', 'cid', 'dan'];

const joins = USERS.map((user) => `join ${user}`);
const leavesOf = ({ seen }: Stage) => seen.filter((change) => change.startsWith('leave'));
const joinsOf = ({ seen }: Stage) => seen.filter((change) => change.startsWith('join')).sort();

describe.each(Object.entries(SERVERS))('%s', (_name, variable) => {
  describe.skipIf(findProgram(variable) === undefined)('servers that share it', () => {
    let redis: RedisServer;
    let stage: Stage;
    beforeEach(async () => {
      redis = await RedisServer.start(variable);
      stage = new Stage(redis, connectNodeRedis, TIMING);
    });
    afterEach(async () => {
      redis.signal('SIGCONT');
      await stage.close();
      await redis.end();
    });

    /** Opens two tabs of each user, and waits until all hold their sessions. */
    async function openAll(): Promise<void> {
      for (const user of [...USERS, ...USERS]) stage.open(user);
      await expect.poll(() => stage.current.length, wait).toBe(2 * USERS.length);
      await expect.poll(() => joinsOf(stage), wait).toEqual(joins);
    }

    it('hand over their sessions when one is drained', async () => {
      const [older, newer] = [await stage.start(), await stage.start()];
      const watcher = await stage.watch();
      stage.nodes.splice(1); // everybody dials the older one
      await openAll();
      const before = stage.current.at(-1) ?? 0;
      stage.nodes.splice(0, 1, newer);
      await older.heartbeat?.drain({ within: 500 });
      await expect.poll(() => stage.current.length, wait).toBe(2 * USERS.length);
      expect(stage.current[0]).toBeGreaterThan(before);
      expect(stage.closes).toEqual(new Array(2 * USERS.length).fill(1012));
      for (const user of USERS) {
        const places = await watcher.presence.ask(user); // of the newer server, by Redis
        expect(places.map(({ quality }) => quality?.status)).toEqual(['alive', 'alive']);
        expect(places.map(({ node }) => node)).toEqual(
          new Array(2).fill(newer.heartbeat?.presence.node),
        );
      }
      stage.clients[0]?.close(); // one of two tabs of ann
      for (const tab of [1, 1 + USERS.length]) stage.clients[tab]?.close(); // both tabs of bob
      await expect.poll(() => leavesOf(stage), wait).toEqual(['leave bob']);
      await sleep(2 * TIMING.grace);
      expect([joinsOf(stage), leavesOf(stage)]).toEqual([joins, ['leave bob']]);
    });

    it.each(libraries)(
      'report over %s that they are isolated, and keep their connections or close them',
      async (_, connect) => {
        stage = new Stage(redis, connect, TIMING);
        const link = await TcpProxy.listen({ to: redis.port });
        try {
          const keeping = await stage.start({}, link.port);
          const closing = await stage.start({ whenIsolated: 'close' }, link.port);
          stage.nodes.push(await stage.start()); // reaches Redis all the time
          const kept = stage.open('ann', keeping);
          const closed = stage.open('bob', closing);
          await expect.poll(() => stage.current.length, wait).toBe(2);
          const [epoch = 0] = keeping.epochs;
          const codes: number[] = [];
          closed.addEventListener('close', ({ code }) => codes.push(code));
          link.freeze();
          await expect
            .poll(() => [keeping.log, closing.log], wait)
            .toEqual([['isolated'], ['isolated']]);
          await expect.poll(() => codes[0], wait).toBe(1012);
          expect([keeping.heartbeat?.isIsolated, keeping.epochs, kept.readyState]).toEqual([
            true,
            [undefined],
            kept.OPEN,
          ]);
          await sleep(TIMING.lease); // by now Redis knows it too
          link.resume();
          await expect.poll(() => keeping.log, wait).toEqual(['isolated', 'rejoined']);
          await expect.poll(() => keeping.epochs[0] ?? 0, wait).toBeGreaterThan(epoch);
        } finally {
          await link.close();
        }
      },
    );

    it.each([
      ['with its data', 'node-redis', connectNodeRedis, true],
      ['with its data', 'ioredis', connectIoredis, true],
      ['empty', 'node-redis', connectNodeRedis, false],
    ])(
      'end no connection while Redis is away, and agree when it is back %s (%s)',
      async (_, _library, connect, isPersistent) => {
        stage = new Stage(redis, connect, TIMING);
        await stage.start();
        await stage.start();
        const watcher = await stage.watch();
        await openAll();
        const before = stage.current.at(-1) ?? 0;
        await redis.stop();
        await expect
          .poll(() => stage.nodes.map(({ log }) => log[0]), wait)
          .toEqual(['isolated', 'isolated']);
        const [seen, closes] = [stage.seen.length, stage.closes.length];
        for (const tab of [0, USERS.length]) stage.clients[tab]?.close(); // ann goes
        const eve = stage.open('eve'); // eve comes
        await expect.poll(() => eve.readyState, wait).toBe(eve.OPEN);
        await sleep(2 * TIMING.grace);
        expect(stage.seen.slice(seen)).toEqual([]);
        expect([closes, stage.closes.length]).toEqual([0, 2]); // those of ann
        await redis.start({ isPersistent });
        const expected = 2 * USERS.length - 2 + 1;
        await expect.poll(() => stage.current.length, wait).toBe(expected);
        expect(stage.current[0]).toBeGreaterThan(before);
        await expect.poll(() => leavesOf(stage), wait).toEqual(['leave ann']);
        await sleep(2 * TIMING.grace);
        expect(stage.seen.slice(seen).sort()).toEqual(['join eve', 'leave ann']);
        expect(stage.closes).toHaveLength(2);
        const present = await watcher.presence.list();
        expect(present.map(({ user }) => user).sort()).toEqual(['bob', 'cid', 'dan', 'eve']);
      },
    );
  });
});
