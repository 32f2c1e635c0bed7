// How much CPU time of Redis does a fleet cost? A real Redis and the registry alone: no server and no
// socket. Measures the CPU time of the process of Redis, with the reading and writing of its sockets.
import { CLIENTS } from '@wirebeat/lab/redis/redis-clients';
import { RedisServer } from '@wirebeat/lab/redis/redis-server';
import { RedisRegistry } from '@wirebeat/server/redis';
import { report } from './report.mjs';

const NODES = 20;
const CONNECTIONS = 20_000;
const BATCH = 50; // a server sends up to 200; few come at once
const BEATS = 5_000;
const SECOND = 1_000_000; // µs
const FLEET = 100_000; // connections, for the rows of an idle fleet
const RENEWALS = 3; // in one lease
const WRITE_PERIOD = 25; // s: how often others refresh the key of a connection

const redis = await RedisServer.start();
const client = await CLIENTS['node-redis'](redis.port);
try {
  await measureAll();
} finally {
  client.close();
  await redis.end();
}

async function measureAll() {
  const { call, subscribe } = client;
  const registry = new RedisRegistry({ call, subscribe });
  const nodes = Array.from({ length: NODES }, (_, index) => `node${index}.0`);
  for (const node of nodes) await registry.renew(node, true);
  const empty = await info('memory', /^used_memory:(\d+)/m);
  await claimAll(0, CONNECTIONS, 'warm'); // Redis allocates
  const memory = ((await info('memory', /^used_memory:(\d+)/m)) - empty) / CONNECTIONS;
  await releaseAll(0, CONNECTIONS, 'warm');

  const join = await cost(CONNECTIONS, () => claimAll(0, CONNECTIONS, 'a'));
  const moved = await cost(CONNECTIONS, () => claimAll(1, CONNECTIONS, 'b'));
  const released = await cost(CONNECTIONS, () => releaseAll(0, CONNECTIONS, 'a'));
  const beat = await cost(BEATS, async () => {
    for (let index = 0; index < BEATS; index += 1) {
      await registry.renew(nodes[index % NODES], false);
    }
  });
  const nothing = await cost(BEATS, async () => {
    for (let index = 0; index < BEATS; index += 1) await client.call(['EVAL', 'return 1', '0']);
  });
  const write = await cost(CONNECTIONS, () =>
    inBatches(CONNECTIONS, async (from, to) => {
      const writes = [];
      for (let index = from; index < to; index += 1) {
        writes.push(client.call(['SET', `alive:${index}`, nodes[index % NODES], 'PX', '60000']));
      }
      await Promise.all(writes);
    }),
  );

  const calls = (NODES * RENEWALS) / (registry.lease / 1_000);
  const writes = FLEET / WRITE_PERIOD;
  report('How much CPU time of Redis does a fleet cost?', [
    { what: 'a join', measured: join, unit: 'µs', budget: 25, note: `${BATCH} in one call` },
    { what: 'a take-over by another server', measured: moved, unit: 'µs', budget: 25 },
    { what: 'the end of a connection', measured: released, unit: 'µs' },
    { what: 'a renewal of a lease', measured: beat, unit: 'µs', budget: 30, note: 'one call each' },
    { what: 'a script that does nothing', measured: nothing, unit: 'µs', note: 'one call each' },
    {
      what: 'a connection',
      measured: memory,
      unit: 'bytes',
      note: 'its entry in the log included',
    },
    {
      what: `${FLEET} idle connections on ${NODES} servers`,
      measured: calls,
      unit: 'calls a second',
      budget: 10,
    },
    { what: 'the same', measured: (calls * beat * 100) / SECOND, unit: '% of a core' },
    {
      what: 'with a key for each connection, refreshed every 25 s',
      measured: writes,
      unit: 'calls a second',
    },
    { what: 'the same', measured: (writes * write * 100) / SECOND, unit: '% of a core' },
  ]);

  /** Each connection claims its session on the node after the last one that had it. */
  function claimAll(shift, count, name) {
    return inBatches(count, (from, to) => {
      const node = nodeOf(from, shift);
      const claims = [];
      for (let index = from; index < to; index += 1) {
        const session = `session-${index}`.padEnd(22, '-');
        claims.push({ connection: `${node}:${name}${index}`, session, user: `${index}`, rank: 0 });
      }
      return registry.claim(node, claims);
    });
  }

  function releaseAll(shift, count, name) {
    return inBatches(count, (from, to) => {
      const node = nodeOf(from, shift);
      const connections = [];
      for (let index = from; index < to; index += 1) connections.push(`${node}:${name}${index}`);
      return registry.release(node, connections, 0);
    });
  }

  function nodeOf(from, shift) {
    return nodes[(from / BATCH + shift) % NODES];
  }
}

async function inBatches(count, run) {
  for (let from = 0; from < count; from += BATCH) await run(from, Math.min(count, from + BATCH));
}

/** Resolves to the CPU time of Redis, in µs, for each of `count` things that `run` does. */
async function cost(count, run) {
  const before = await cpuTime();
  await run();
  return ((await cpuTime()) - before) / count;
}

/** The CPU time of the process of Redis so far, in µs. */
async function cpuTime() {
  const [system, user] = ['sys', 'user'].map(
    (kind) => new RegExp(`^used_cpu_${kind}:([\\d.]+)`, 'm'),
  );
  return ((await info('cpu', system)) + (await info('cpu', user))) * SECOND;
}

/** Resolves to a number that Redis tells of itself. */
async function info(section, find) {
  const [, number] = find.exec(String(await client.call(['INFO', section]))) ?? [];
  return Number(number);
}
