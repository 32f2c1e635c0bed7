import type { RedisRegistryOptions } from '@wirebeat/server/redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';

/** What a registry needs of a Redis client, and how to close it. */
export type Connected = Pick<RedisRegistryOptions, 'call' | 'subscribe'> & {
  readonly close: () => void;
};

/** Connects with node-redis. */
export async function connectNodeRedis(port: number): Promise<Connected> {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  const subscriber = client.duplicate();
  for (const one of [client, subscriber]) one.on('error', () => {}); // it reconnects by itself
  await Promise.all([client.connect(), subscriber.connect()]);
  return {
    call: (command) => client.sendCommand(command),
    subscribe: (channel, listener) => subscriber.subscribe(channel, listener),
    close: () => {
      client.destroy();
      subscriber.destroy();
    },
  };
}

/** Connects with ioredis. */
export async function connectIoredis(port: number): Promise<Connected> {
  const client = new Redis(port, '127.0.0.1');
  const subscriber = client.duplicate();
  for (const one of [client, subscriber]) one.on('error', () => {}); // it reconnects by itself
  const listeners = new Map<string, (message: string) => void>();
  subscriber.on('message', (channel, message) => listeners.get(channel)?.(message));
  return {
    call: ([name, ...args]) => client.call(name, ...args),
    subscribe: (channel, listener) => {
      listeners.set(channel, listener);
      return subscriber.subscribe(channel);
    },
    close: () => {
      client.disconnect();
      subscriber.disconnect();
    },
  };
}

export const CLIENTS: Readonly<Record<string, (port: number) => Promise<Connected>>> = {
  'node-redis': connectNodeRedis,
  ioredis: connectIoredis,
};
