// Many connections of one process to a real server: no fault of the process kills a link that works, and
// every silent cut is found.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lacksServer, RealServer } from '../../dialects/real-server.ts';
import { TcpProxy } from '../../faults/tcp-proxy.ts';
import { allowance, MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';
import { SUBJECTS, type Subject } from './subjects.ts';

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

interface Fact {
  readonly name: 'ready' | 'blocked' | 'ticks' | 'bounds' | 'dead' | 'left' | 'close';
  readonly ticks?: number;
  readonly bounds?: readonly number[];
  readonly silentFor?: number;
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
    await expect
      .poll(() => this.named(name).length, { timeout: limit })
      .toBeGreaterThanOrEqual(count);
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

describe.each(SUBJECTS)(`${CONNECTIONS} connections to $title`, (subject) => {
  const isMissing = lacksServer(subject.server);

  it.skipIf(isMissing)('outlive a fault of their process, and notice a silent cut', async () => {
    const server = await RealServer.start(subject.server, SERVER_TIMING);
    onTestFinished(() => server.end());
    const proxy = await TcpProxy.listen({ to: server.ports[subject.port ?? 'ws'] as number });
    onTestFinished(() => proxy.close());
    const crowd = new Crowd(subject, `ws://127.0.0.1:${proxy.port}${subject.path ?? '/'}`);
    onTestFinished(() => crowd.signal('SIGKILL'));
    await crowd.until('ready');

    crowd.say(String(FAULT));
    await crowd.until('blocked');
    await sleep(SETTLED);
    expect(crowd.named('dead')).toEqual([]);

    crowd.signal('SIGSTOP');
    await sleep(FAULT);
    crowd.signal('SIGCONT');
    await sleep(SETTLED);
    expect(crowd.named('dead')).toEqual([]);
    if (!subject.isHasty) expect(crowd.named('close')).toEqual([]);
    const { ticks = 0 } = await crowd.ask('ticks');
    expect(ticks).toBeGreaterThan(CONNECTIONS); // the server sent all the time

    const { bounds = [] } = await crowd.ask('bounds');
    const bound = Math.max(...bounds);
    const left = crowd.named('left').length;
    proxy.cut();
    // A hasty client may be first to close a connection, so that there is nothing left to notice.
    const ended = () => {
      const byClient = subject.isHasty ? crowd.named('left').length - left : 0;
      return crowd.named('dead').length + byClient;
    };
    await expect.poll(ended, { timeout: 3 * bound }).toBeGreaterThanOrEqual(CONNECTIONS);
    const dead = crowd.named('dead');
    if (!subject.isHasty) expect(dead).toHaveLength(CONNECTIONS);
    expect(dead).not.toEqual([]);
    for (const { silentFor, stalls = [] } of dead) {
      expect(silentFor).toBeLessThanOrEqual(bound + allowance(stalls, bound));
    }
  });
});
