import { createHash } from 'node:crypto';
import { InvalidOptionError, type Millis, resolveOptions } from '@wirebeat/core';
import type {
  Claim,
  Grant,
  Place,
  PresenceChange,
  PresenceChanges,
  PresentUser,
  PresentUsers,
  Registry,
  Renewal,
} from '../fleet/registry.ts';
import { instanceOf } from '../fleet/registry.ts';
import { longestGap, REGISTRY_SCHEMA, type RegistryTiming } from '../fleet/registry-timing.ts';
import { SCRIPTS } from './scripts.ts';

/** Options of a {@link RedisRegistry}: the two functions that it needs of your Redis client. */
export interface RedisRegistryOptions extends RegistryTiming {
  /**
   * Sends a command, such as `['GET', 'key']`, and resolves to the answer. Node-redis:
   * `(command) => client.sendCommand(command)`. Ioredis:
   * `([name, ...rest]) => client.call(name, ...rest)`.
   */
  readonly call: (command: [string, ...string[]]) => PromiseLike<unknown>;
  /**
   * Subscribes to a channel. Redis needs a connection of its own for that. Your client should subscribe
   * again when it has reconnected; messages that are lost meanwhile only cause delays.
   */
  readonly subscribe: (channel: string, listener: (message: string) => void) => unknown;
  /**
   * The first part of the name of every key. Servers with the same prefix share sessions and presence.
   * @default 'wirebeat'
   */
  readonly prefix?: string;
}

/** The options of {@link RedisRegistryOptions} that other registries have not. */
export const REDIS_SCHEMA = {
  call: { type: 'function', required: true },
  subscribe: { type: 'function', required: true },
  prefix: { type: 'string', default: 'wirebeat' },
} as const;

interface Script {
  readonly text: string;
  readonly digest: string;
}

const scripts = new Map<keyof typeof SCRIPTS, Script>();

/**
 * A `Registry` in Redis 6.2 or newer, or Valkey, for servers in many processes. It depends on no Redis
 * client: you pass in two functions of yours.
 *
 * Everything is one script call; nothing is written for heartbeats.
 *
 * @throws {InvalidOptionError} if an option is missing, out of range or unknown.
 */
export class RedisRegistry implements Registry {
  readonly lease: Millis;
  readonly grace: Millis;
  readonly #call: RedisRegistryOptions['call'];
  readonly #subscribe: RedisRegistryOptions['subscribe'];
  readonly #prefix: string;
  readonly #longestGap: string;

  constructor(options: RedisRegistryOptions) {
    const schema = { ...REGISTRY_SCHEMA, ...REDIS_SCHEMA };
    const { call, subscribe, prefix, lease, grace } = resolveOptions(schema, options);
    if (!/^[^{}]+$/.test(prefix)) {
      throw new InvalidOptionError('prefix', 'a string without braces, not empty', prefix);
    }
    this.lease = lease;
    this.grace = grace;
    this.#longestGap = `${longestGap(lease)}`;
    this.#call = call;
    this.#subscribe = subscribe;
    this.#prefix = `{${prefix}}`; // a cluster keeps keys with the same text in braces in one slot
  }

  async renew(node: string, isNew: boolean): Promise<Renewal | undefined> {
    const rest = [isNew ? '1' : '0', `${this.lease}`];
    const reply = await this.#run('renew', node, this.#longestGap, `${this.grace}`, ...rest);
    if (!Array.isArray(reply)) return undefined;
    const [held, users, reaped, isReaping, ...revoked] = reply;
    return {
      held: Number(held),
      users: Number(users),
      reaped: Number(reaped),
      isReaping: Number(isReaping) === 1,
      revoked: revoked.map(String),
    };
  }

  async claim(node: string, claims: readonly Claim[]): Promise<readonly Grant[] | undefined> {
    const items = claims.flatMap(({ connection, session, user, rank }) => {
      return [connection, session, user, `${rank}`];
    });
    const reply = await this.#run('claim', node, this.#longestGap, `${this.grace}`, ...items);
    if (!Array.isArray(reply)) return undefined;
    return reply.map((answer) => {
      const [epoch, ...waitsFor] = String(answer).split(' ');
      return { epoch: Number(epoch), waitsFor };
    });
  }

  async release(node: string, connections: readonly string[], hold: Millis): Promise<void> {
    await this.#run('release', node, this.#longestGap, `${this.grace + hold}`, ...connections);
  }

  async held(node: string): Promise<readonly string[]> {
    return listOf(await this.#run('held', node)).map(String);
  }

  async remove(node: string): Promise<void> {
    await this.#run('remove', node);
  }

  async listen(instance: string, listener: (message: string) => void): Promise<void> {
    await this.#subscribe(`${this.#prefix}:to:${instance}`, (message) => listener(`${message}`));
  }

  async send(instance: string, message: string): Promise<void> {
    await this.#call(['PUBLISH', `${this.#prefix}:to:${instance}`, message]);
  }

  async find(user: string): Promise<readonly Place[]> {
    return pairsOf(await this.#run('find', user)).map(([connection, since]) => {
      return { node: instanceOf(connection), connection, since: Number(since) };
    });
  }

  async users(): Promise<PresentUsers> {
    const users = new Map<string, PresentUser>(); // a scan may return an entry twice
    let first: string | undefined;
    let cursor = '0';
    do {
      const [position, next, page] = listOf(await this.#run('users', cursor));
      first ??= String(position);
      cursor = String(next);
      for (const [user, value] of pairsOf(page)) users.set(user, presentOf(user, value));
    } while (cursor !== '0');
    return { position: first, users: [...users.values()] };
  }

  async changes(position: string): Promise<PresenceChanges | undefined> {
    const reply = await this.#run('changes', position);
    if (!Array.isArray(reply)) return undefined;
    let last = position;
    const changes = reply.map((entry) => {
      const [id, fields] = listOf(entry);
      last = String(id);
      return changeOf(last, new Map(pairsOf(fields)));
    });
    return { position: last, changes };
  }

  async onChange(listener: () => void): Promise<void> {
    await this.#subscribe(`${this.#prefix}:changed`, () => listener());
  }

  /** Runs a script by its digest, and sends its text if Redis does not know it. */
  async #run(name: keyof typeof SCRIPTS, ...args: string[]): Promise<unknown> {
    const { text, digest } = scriptOf(name);
    const rest = ['1', this.#prefix, ...args];
    try {
      return await this.#call(['EVALSHA', digest, ...rest]);
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error;
      return this.#call(['EVAL', text, ...rest]);
    }
  }
}

function scriptOf(name: keyof typeof SCRIPTS): Script {
  let script = scripts.get(name);
  if (script === undefined) {
    const text = SCRIPTS[name];
    script = { text, digest: createHash('sha1').update(text).digest('hex') };
    scripts.set(name, script);
  }
  return script;
}

const listOf = (reply: unknown): readonly unknown[] => (Array.isArray(reply) ? reply : []);

/** Pairs of what Redis returns as a flat list. */
function pairsOf(reply: unknown): [string, string][] {
  const flat = listOf(reply).map(String);
  return flat.flatMap((key, index) => {
    return index % 2 === 0 ? [[key, flat[index + 1] ?? ''] as [string, string]] : [];
  });
}

function presentOf(user: string, value: string): PresentUser {
  const space = value.indexOf(' ');
  return { user, since: Number(value.slice(0, space)), node: value.slice(space + 1) };
}

/** An entry of the log. Its id begins with the time at which it was written. */
function changeOf(id: string, fields: ReadonlyMap<string, string>): PresenceChange {
  const [user = '', node = '', from = ''] = ['u', 'n', 'f'].map((name) => fields.get(name));
  const at = Number.parseInt(id, 10);
  const type = fields.get('t');
  if (type === 'move') return { type, user, from, node, at };
  return { type: type === 'leave' ? 'leave' : 'join', user, node, at };
}
