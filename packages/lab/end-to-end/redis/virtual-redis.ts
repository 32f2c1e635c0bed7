import { randomUUID } from 'node:crypto';
import type { Scheduler } from '@wirebeat/core';
import { RedisRegistry } from '@wirebeat/server/redis';
import { GRACE, LEASE, type RegistryMaker } from '../../../server/test/fleet/fleet-model.ts';
import type { Connected } from '../../redis/redis-clients.ts';

/**
 * Registries in a real Redis whose scripts read the time from a key, so that they follow the virtual
 * clock. Each has a prefix of its own.
 */
export function virtualRedis({ call, subscribe }: Connected): RegistryMaker {
  return async (scheduler: Scheduler) => {
    const prefix = `test-${randomUUID()}`;
    let open = 0;
    const callVirtually: Connected['call'] = async ([name, ...args]) => {
      open += 1;
      try {
        if (name === 'EVALSHA') throw new Error('NOSCRIPT: its text is needed');
        if (name !== 'EVAL') return await call([name, ...args]);
        const now = scheduler.now();
        const [s, u] = [Math.floor(now / 1_000), Math.floor((now % 1_000) * 1_000)];
        const [text = '', ...rest] = args;
        const clock = call(['HSET', `{${prefix}}:time`, 's', `${s}`, 'u', `${u}`]);
        const time = `redis.call('HMGET', KEYS[1] .. ':time', 's', 'u')`;
        const answer = call(['EVAL', text.replace(`redis.call('TIME')`, time), ...rest]);
        await clock;
        return await answer;
      } finally {
        open -= 1;
      }
    };
    const registry = new RedisRegistry({
      call: callVirtually,
      subscribe,
      prefix,
      lease: LEASE,
      grace: GRACE,
    });
    let passed = () => {};
    await subscribe(`${prefix}:barrier`, () => passed());
    /** Messages arrive in order: when this one has, all before it have. */
    const barrier = () =>
      new Promise<void>((resolve) => {
        passed = resolve;
        void call(['PUBLISH', `${prefix}:barrier`, '']);
      });
    const settled = async () => {
      do {
        while (open > 0) await new Promise((resolve) => setImmediate(resolve));
        await barrier();
        await new Promise((resolve) => setImmediate(resolve));
      } while (open > 0);
    };
    return { registry, settled };
  };
}
