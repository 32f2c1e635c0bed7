// Many connections of one process to a real server: no fault of the process kills a link that works, and
// every silent cut is found.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { lacksServer, RealServer, type ServerName } from '../../dialects/real-server.ts';
import { SUBJECTS, type Subject } from '../../dialects/subjects.ts';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { allowance, MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';

const CONNECTIONS = IS_LONG ? 100 : 10;
/** How long the process is blocked, and then stopped. */
const FAULT = IS_LONG ? 10_000 : 4_000;
const TIMING = { pingInterval: 500 * MS, pingTimeout: 1_000 * MS };
/** A server that ends connections without a pong has to wait longer than the fault takes. */
const SERVER_TIMING = { interval: 500 * MS, timeout: FAULT + 5_000 * MS };
/** Of a server whose protocol does not say how long it is silent at most. */
const MAX_SILENCE = 2_000 * MS;
/** After the fault: by then a false verdict has fallen. */
const SETTLED = TIMING.pingTimeout + 1_000 * MS;
/** Of one subject, while two others run. */
const LIMIT = 180_000 * MS;

interface Fact {
  readonly name: 'ready' | 'blocked' | 'ticks' | 'bounds' | 'dead' | 'close';
  /** How many messages of the application each connection has received. */
  readonly ticks?: readonly number[];
  readonly bounds?: readonly number[];
  readonly silentFor?: number;
  /** How late its timers have fired in this silence. */
  readonly stalls?: readonly number[];
}

/** The process with the clients. */
class Crowd {
  readonly #child: ChildProcess;
  readonly #facts: Fact[] = [];

  constructor({ client }: Subject, url: string) {
    const script = fileURLToPath(new URL('../../dialects/crowd.mjs', import.meta.url));
    const durations = [TIMING.pingInterval, TIMING.pingTimeout, MAX_SILENCE].map(String);
    const args = [script, client, url, String(CONNECTIONS), ...durations];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.#facts.push(JSON.parse(line));
    });
  }

  named(name: Fact['name']): Fact[] {
    return this.#facts.filter((fact) => fact.name === name);
  }

  async until(name: Fact['name'], count = 1, limit = 60_000 * MS): Promise<Fact[]> {
    // Not `expect.poll`, which does not know its test when several run at once.
    await vi.waitUntil(() => this.named(name).length >= count, { timeout: limit });
    return this.named(name);
  }

  /** Asks for the facts of this name now. */
  async ask(name: 'ticks' | 'bounds'): Promise<Fact> {
    const count = this.named(name).length + 1;
    this.say(name);
    return (await this.until(name, count)).at(-1) as Fact;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** The servers that have been started; RabbitMQ speaks two of the protocols. */
const servers = new Map<ServerName, Promise<RealServer>>();

function serverOf({ server: name }: Subject): Promise<RealServer> {
  const server = servers.get(name) ?? RealServer.start(name, SERVER_TIMING);
  servers.set(name, server);
  return server;
}

afterAll(async () => {
  const started = await Promise.allSettled(servers.values());
  await Promise.all(started.map((each) => each.status === 'fulfilled' && each.value.end()));
});

// Side by side: they wait more than they work. More at once would starve their servers and proxies.
describe.concurrent.each(SUBJECTS)('$title, server and client', (subject) => {
  vi.setConfig({ maxConcurrency: 3 });
  const isMissing = lacksServer(subject.server);
  const title = `${CONNECTIONS} connections outlive faults of their process, and notice a silent cut within the bound`;

  it.skipIf(isMissing)(title, { timeout: LIMIT }, async ({ onTestFinished }) => {
    const server = await serverOf(subject);
    const proxy = await TcpProxy.listen({ to: server.ports[subject.port ?? 'ws'] as number });
    onTestFinished(() => proxy.close());
    const crowd = new Crowd(subject, `ws://127.0.0.1:${proxy.port}${subject.path ?? '/'}`);
    onTestFinished(() => crowd.signal('SIGKILL'));
    await crowd.until('ready');
    await expectTraffic(crowd);

    crowd.say(String(FAULT)); // blocks
    await crowd.until('blocked');
    await sleep(SETTLED);
    crowd.signal('SIGSTOP');
    await sleep(FAULT);
    crowd.signal('SIGCONT');
    await sleep(SETTLED);
    expect(crowd.named('dead')).toEqual([]);
    expect(crowd.named('close')).toEqual([]);
    await expectTraffic(crowd);

    const { bounds = [] } = await crowd.ask('bounds');
    expect(bounds).toHaveLength(CONNECTIONS);
    const bound = Math.max(...bounds);
    proxy.cut();
    const dead = await crowd.until('dead', CONNECTIONS, 3 * bound + 5_000 * MS);
    expect(dead).toHaveLength(CONNECTIONS);
    // All facts of those that are late, so that a failure explains itself.
    const isLate = ({ silentFor = Infinity, stalls = [] }: Fact) =>
      silentFor > bound + allowance(stalls, TIMING.pingTimeout);
    expect({ bound, late: dead.filter(isLate) }).toEqual({ bound, late: [] });
  });
});

/** Every connection receives messages of the application. */
async function expectTraffic(crowd: Crowd): Promise<void> {
  const { ticks: before = [] } = await crowd.ask('ticks');
  const isEach = async () => {
    const { ticks = [] } = await crowd.ask('ticks');
    return ticks.length === CONNECTIONS && ticks.every((count, at) => count > (before[at] ?? 0));
  };
  await vi.waitUntil(isEach, { timeout: 40_000 * MS });
}
