import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { Program } from '@wirebeat/lab/fleet/program';
import { freePort } from '../programs/free-port.ts';
import { RedisServer } from '../redis/redis-server.ts';
import type { Fault } from './plan.ts';
import { sharedNow } from './timing.ts';

const WAYS = 4; // proxies in front of each server, so that a cut hits some of its clients
const START_LIMIT = 60_000;
const CLIENT_LIBRARIES = ['node-redis', 'ioredis'];

/** What a cluster reports. */
export interface ClusterPort {
  /** A program runs, also one that replaces another. */
  started(program: Program, name: string): void;
  /** A fault has begun or ended. */
  happened(what: string): void;
  /** The process of a server was stopped, and goes on. */
  stalled(name: string, from: number, to: number): void;
}

/** A client's connection to a proxy, by the ports of both. */
export interface End {
  readonly from: number;
  readonly to: number;
}

/** One server with the proxies in front of it and the proxy to Redis. */
interface Node {
  readonly name: string;
  readonly port: number;
  readonly ways: readonly TcpProxy[];
  readonly link: TcpProxy;
  readonly library: string;
  program: Program;
  restarting: Promise<void> | undefined;
  stoppedAt: number | undefined;
}

/** Several servers with one Redis, and the faults between them. */
export class Cluster {
  readonly redis: RedisServer;
  readonly #port: ClusterPort;
  readonly #arrivals: string;
  readonly #nodes: Node[] = [];
  readonly #timers: Set<NodeJS.Timeout> = new Set();
  #isHealing = false;
  #isRedisAway = false;

  /** Starts `count` servers and one more, which write the messages that they read to the file `arrivals`. */
  static async start(count: number, arrivals: string, port: ClusterPort): Promise<Cluster> {
    const cluster = new Cluster(await RedisServer.start(), arrivals, port);
    for (let index = 0; index <= count; index += 1) await cluster.#add(index); // the last has no faults
    return cluster;
  }

  private constructor(redis: RedisServer, arrivals: string, port: ClusterPort) {
    this.redis = redis;
    this.#arrivals = arrivals;
    this.#port = port;
  }

  /** The ports that clients dial: none of the last server, which only watches. */
  get ports(): number[] {
    return this.#nodes.slice(0, -1).flatMap(({ ways }) => ways.map(({ port }) => port));
  }

  get programs(): readonly Program[] {
    return this.#nodes.map(({ program }) => program);
  }

  /** The server without faults and clients. */
  get watcher(): Program {
    return this.#nodes.at(-1)?.program as Program;
  }

  async #add(index: number): Promise<void> {
    const port = await freePort();
    const ways = await Promise.all(
      Array.from({ length: WAYS }, () => TcpProxy.listen({ to: port })),
    );
    const link = await TcpProxy.listen({ to: this.redis.port });
    const library = CLIENT_LIBRARIES[index % CLIENT_LIBRARIES.length] as string;
    const name = `server ${index}`;
    const program = await this.#run(name, port, link.port, library);
    this.#nodes.push({
      name,
      port,
      ways,
      link,
      library,
      program,
      restarting: undefined,
      stoppedAt: undefined,
    });
  }

  async #run(name: string, port: number, redis: number, client: string): Promise<Program> {
    const program = new Program('@wirebeat/lab/nodes/node', {
      ...{ port, redis, client, arrivals: this.#arrivals },
    });
    this.#port.started(program, name);
    await program.until(() => program.of('listening').length > 0, START_LIMIT);
    return program;
  }

  run(faults: readonly Fault[]): void {
    for (const fault of faults) this.#after(fault.at, () => void this.#befall(fault));
  }

  async #befall({ kind, node: index, way, lasts }: Fault): Promise<void> {
    const node = this.#nodes[index] as Node;
    const name = kind.includes('node') ? `${kind} ${index}` : kind;
    this.#port.happened(name);
    const end = (act: () => void) =>
      this.#after(lasts, () => {
        this.#port.happened(`${name} ends`);
        act();
      });
    switch (kind) {
      case 'kill node':
        node.program.signal('SIGKILL');
        return end(() => void this.#restart(node));
      case 'stop node':
        node.program.signal('SIGSTOP');
        node.stoppedAt = sharedNow();
        return end(() => this.#continue(node));
      case 'cut node from Redis':
        node.link.freeze(); // as TCP does while no packet gets through
        return end(() => node.link.resume());
      case 'isolate node':
        for (const proxy of [...node.ways, node.link]) proxy.freeze();
        return end(() => {
          for (const proxy of [...node.ways, node.link]) proxy.resume();
        });
      case 'silent cut':
        return node.ways[Math.floor(way * WAYS)]?.cut();
      case 'stop Redis':
        this.redis.signal('SIGSTOP');
        return end(() => this.redis.signal('SIGCONT'));
      case 'restart Redis':
        this.#isRedisAway = true;
        await this.redis.stop();
        return end(() => void this.#startRedis());
      default:
        kind satisfies never;
    }
  }

  /** Clients have died: what they have sent and has not arrived yet is lost. */
  cutOff(ends: readonly End[]): void {
    for (const { from, to } of ends) {
      for (const { ways } of this.#nodes) ways.find(({ port }) => port === to)?.cutOff(from);
    }
  }

  #continue(node: Node): void {
    node.program.signal('SIGCONT');
    if (node.stoppedAt === undefined) return;
    this.#port.stalled(node.name, node.stoppedAt, sharedNow());
    node.stoppedAt = undefined;
  }

  async #startRedis(): Promise<void> {
    await this.redis.start();
    this.#isRedisAway = false;
  }

  async #restart(node: Node): Promise<void> {
    const restart = async () => {
      await node.program.end();
      node.program = await this.#run(node.name, node.port, node.link.port, node.library);
      node.restarting = undefined;
    };
    node.restarting ??= restart();
    await node.restarting;
  }

  /** Ends all faults. Resolves when every server runs again. */
  async heal(): Promise<void> {
    this.#isHealing = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.redis.signal('SIGCONT');
    if (this.#isRedisAway) await this.#startRedis();
    for (const node of this.#nodes) {
      this.#continue(node);
      for (const proxy of node.ways) proxy.resume();
      node.link.resume();
      if (node.program.hasEnded) await this.#restart(node);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.end()));
    for (const { ways, link } of this.#nodes) {
      await Promise.all([...ways, link].map((proxy) => proxy.close()));
    }
    await this.redis.end();
  }

  #after(ms: number, act: () => void): void {
    if (this.#isHealing) return act();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
