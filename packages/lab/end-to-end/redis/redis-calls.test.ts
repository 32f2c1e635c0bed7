// How often a fleet at rest calls Redis, in virtual time.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetModel } from '../../../server/test/fleet/fleet-model.ts';
import { findProgram } from '../../programs/find-program.ts';
import { type Connected, connectNodeRedis } from '../../redis/redis-clients.ts';
import { RedisServer } from '../../redis/redis-server.ts';
import { IS_LONG } from '../scale.ts';
import { virtualRedis } from './virtual-redis.ts';

const NODES = 20;
const CONNECTIONS = IS_LONG ? 100_000 : 2_000;
const SECONDS = 60;

const hasRedis = findProgram('REDIS_PATH') !== undefined;
let server: RedisServer | undefined;
let client: Connected | undefined;
beforeAll(async () => {
  if (!hasRedis) return;
  server = await RedisServer.start();
  client = await connectNodeRedis(server.port);
});
afterAll(async () => {
  client?.close();
  await server?.end();
});

describe.skipIf(!hasRedis)('a fleet at rest', () => {
  it('renews one lease a server, and calls Redis for nothing else', async () => {
    let calls = 0;
    const { call, subscribe, close } = client as Connected;
    const counting: Connected = {
      call: (command) => {
        if (command[0] === 'EVAL') calls += 1;
        return call(command);
      },
      subscribe,
      close,
    };
    const fleet = await FleetModel.make(virtualRedis(counting), NODES);
    for (let one = 0; one < CONNECTIONS; one += 1) fleet.connect(one, one);
    while (fleet.nodes.some(({ open }) => open.some(({ phase }) => phase !== 'held'))) {
      await fleet.advance(1_000);
    }
    calls = 0;
    const { clock } = fleet;
    const end = clock.now() + SECONDS * 1_000;
    while (clock.now() < end) {
      clock.advanceTo(clock.now() + 250);
      await fleet.settle();
    }
    expect(fleet.open).toHaveLength(CONNECTIONS);
    expect(calls / SECONDS).toBeGreaterThan(3);
    expect(calls / SECONDS).toBeLessThanOrEqual(4.4); // 20 servers, each every 5 s, and the edges
  });
});
