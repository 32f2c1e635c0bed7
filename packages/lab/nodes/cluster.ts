import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { Program } from '@wirebeat/lab/fleet/program';
import { freePort } from '../programs/free-port.ts';
import { RedisServer } from '../redis/redis-server.ts';
import type { Fault } from './plan.ts';
import { sharedNow } from './timing.ts';

const WAYS = 4; // proxies in front of each server, so that a cut hits some of its clients
const START_LIMIT = 60_000;
const CLIENT_LIBRARIES = ['node-redis', 'ioredis'];

/** A time in which Redis was away. */
export interface Outage {
  readonly from: number;
  to: number;
}

/** One server with the proxies in front of it and the proxy to Redis. */
interface Node {
  readonly port: number;
  readonly ways: readonly TcpProxy[];
  readonly link: TcpProxy;
  readonly library: string;
  program: Program;
  restarting: Promise<void> | undefined;
}

/** Several servers with one Redis, and the faults between them. */
export class Cluster {
  readonly redis: RedisServer;
  readonly outages: Outage[] = [];
  /** Receives every program, also those that replace killed ones. */
  readonly #started: (program: Program) => void;
  readonly #nodes: Node[] = [];
  readonly #timers: Set<NodeJS.Timeout> = new Set();
  #isHealing = false;

  static async start(count: number, started: (program: Program) => void): Promise<Cluster> {
    const cluster = new Cluster(await RedisServer.start(), started);
    for (let index = 0; index <= count; index += 1) await cluster.#add(index); // the last has no faults
    return cluster;
  }

  private constructor(redis: RedisServer, started: (program: Program) => void) {
    this.redis = redis;
    this.#started = started;
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
    const program = await this.#run(port, link.port, library);
    this.#nodes.push({ port, ways, link, library, program, restarting: undefined });
  }

  async #run(port: number, redis: number, client: string): Promise<Program> {
    const program = new Program('@wirebeat/lab/nodes/node', { port, redis, client });
    this.#started(program);
    await program.until(() => program.of('listening').length > 0, START_LIMIT);
    return program;
  }

  run(faults: readonly Fault[]): void {
    for (const fault of faults) this.#after(fault.at, () => void this.#befall(fault));
  }

  async #befall({ kind, node: index, way, lasts }: Fault): Promise<void> {
    const node = this.#nodes[index] as Node;
    const end = (act: () => void) => this.#after(lasts, act);
    switch (kind) {
      case 'kill node':
        node.program.signal('SIGKILL');
        return end(() => void this.#restart(node));
      case 'stop node':
        node.program.signal('SIGSTOP');
        return end(() => node.program.signal('SIGCONT'));
      case 'cut node from Redis':
        return this.#cutLink(node, lasts);
      case 'isolate node':
        for (const proxy of node.ways) proxy.freeze();
        end(() => {
          for (const proxy of node.ways) proxy.resume();
        });
        return this.#cutLink(node, lasts);
      case 'silent cut':
        return node.ways[Math.floor(way * WAYS)]?.cut();
      case 'stop Redis':
        this.redis.signal('SIGSTOP');
        return end(() => this.redis.signal('SIGCONT'));
      case 'restart Redis': {
        const outage = { from: sharedNow(), to: Number.POSITIVE_INFINITY };
        this.outages.push(outage);
        await this.redis.stop();
        return end(() => void this.#startRedis(outage));
      }
      default:
        kind satisfies never;
    }
  }

  /** The link holds everything back, as TCP does while no packet gets through. */
  #cutLink({ link }: Node, lasts: number): void {
    link.freeze();
    this.#after(lasts, () => link.resume());
  }

  async #startRedis(outage: Outage): Promise<void> {
    await this.redis.start();
    outage.to = sharedNow();
  }

  async #restart(node: Node): Promise<void> {
    const restart = async () => {
      await node.program.end();
      node.program = await this.#run(node.port, node.link.port, node.library);
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
    const outage = this.outages.at(-1);
    if (outage?.to === Number.POSITIVE_INFINITY) await this.#startRedis(outage);
    for (const node of this.#nodes) {
      node.program.signal('SIGCONT');
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
