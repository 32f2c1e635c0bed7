// Nodes that share sessions by a real Redis, in virtual time.
import { randomUUID } from 'node:crypto';
import { RedisRegistry } from '@wirebeat/server/redis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCRIPTS } from '../../../server/src/redis/scripts.ts';
import { play, property, SCENARIOS } from '../../../server/test/fleet/fleet-commands.ts';
import type { RegistryMaker } from '../../../server/test/fleet/fleet-model.ts';
import { describeRegistry } from '../../../server/test/fleet/registry-contract.ts';
import { findProgram } from '../../programs/find-program.ts';
import { CLIENTS, type Connected } from '../../redis/redis-clients.ts';
import { RedisServer, SERVERS } from '../../redis/redis-server.ts';
import { IS_LONG } from '../scale.ts';
import { virtualRedis } from './virtual-redis.ts';

describe.each(Object.entries(SERVERS))('%s', (_name, variable) => {
  describe.skipIf(findProgram(variable) === undefined).each(Object.entries(CLIENTS))(
    'over %s',
    (_, connect) => {
      let server: RedisServer;
      let client: Connected;
      beforeAll(async () => {
        server = await RedisServer.start(variable);
        client = await connect(server.port);
      });
      afterAll(async () => {
        client.close();
        await server.end();
      });
      const make: RegistryMaker = (scheduler) => virtualRedis(client)(scheduler);

      describe('a RedisRegistry', () => {
        describeRegistry(make);

        it('sends the text of a script that Redis does not know', async () => {
          const { call, subscribe } = client;
          const registry = new RedisRegistry({ call, subscribe, prefix: randomUUID() });
          for (let round = 0; round < 2; round += 1) {
            expect(await registry.renew(`a.${round}`, true)).toMatchObject({ held: 0, users: 0 });
            await call(['SCRIPT', 'FLUSH']);
          }
        });
      });

      describe('its scripts', () => {
        it('use only commands that Redis 6.2 has', async () => {
          const text = Object.values(SCRIPTS).join('\n');
          const used = new Set(
            [...text.matchAll(/redis\.call\('(\w+)'/g)].map(([, name]) => name ?? ''),
          );
          expect(used.size).toBeGreaterThan(15);
          for (const name of used) {
            const docs = JSON.stringify(await client.call(['COMMAND', 'DOCS', name]));
            const [, since = ''] = /"since":?,?"([\d.]+)"/.exec(docs) ?? [];
            const [major = Number.NaN, minor = 0] = since.split('.').map(Number);
            expect(major * 10 + minor, `${name} is since ${since}`).toBeLessThanOrEqual(62);
          }
        });
      });

      describe('its options', () => {
        it('must be two functions, and a prefix without braces', () => {
          const { call, subscribe } = client;
          const make = (options: object) => () => new RedisRegistry(options as never);
          expect(make({ subscribe })).toThrow('Expected `call` to be a function');
          expect(make({ call })).toThrow('Expected `subscribe` to be a function');
          expect(make({ call, subscribe, prefix: '{a}' })).toThrow(
            'Expected `prefix` to be a string',
          );
          expect(make({ call, subscribe, lease: 0 })).toThrow('Expected `lease` to be');
        });
      });

      describe('between nodes with a RedisRegistry', () => {
        it.each(Object.entries(SCENARIOS))('%s', async (_scenario, steps) => {
          const { seen } = await play(make, steps);
          expect(seen.length).toBeGreaterThan(0);
        });

        it('at no time are two connections of one session current, and in the end all agree', async () => {
          await fc.assert(property(make), { numRuns: IS_LONG ? 100 : 10 });
        });
      });
    },
  );
});
