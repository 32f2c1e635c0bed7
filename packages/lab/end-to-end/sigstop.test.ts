// A process that was stopped and continued finds its timers overdue before it has read what came
// meanwhile. It must not take that for a dead server, and must still find one that is dead.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { allowance, MS } from './allowance.ts';

const SOCKETS = 20;
const SPREAD = 97; // ms between two sockets: their phases differ all over the interval
const PING_TIMEOUT = 2_000;
const BOUND = 2_000 + PING_TIMEOUT + 250 + 3 * 250;
const ROUND_TRIP = 800; // so that at most moments 8 of 20 wait for a pong
const ASKING = 6; // so many must, when it is stopped
const STOPPED = 6_000;
const SETTLED = PING_TIMEOUT + 250 + 500; // after the stop: by then a false verdict has fallen

interface Fact {
  readonly index: number;
  readonly at: number;
  readonly name: 'ping' | 'pong' | 'stall' | 'dead';
  readonly silentFor: number;
  readonly lateBy: number;
  readonly detectionBound: number;
}

/** A client of 20 sockets in a process of its own, and what it has told. */
class Client {
  readonly process: ChildProcess;
  readonly facts: Fact[] = [];
  #look = () => {};

  constructor(port: number) {
    const script = fileURLToPath(new URL('stopped-client.mjs', import.meta.url));
    const args = [script, `ws://127.0.0.1:${port}`, String(SOCKETS), String(SPREAD)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.process = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.facts.push(JSON.parse(line));
      this.#look();
    });
  }

  /** What it told under a name, of one socket or all. */
  of(name: Fact['name'], index?: number): Fact[] {
    return this.facts.filter(
      (fact) => fact.name === name && (index === undefined || fact.index === index),
    );
  }

  /** Which sockets have told it. */
  socketsWith(name: Fact['name']): Set<number> {
    return new Set(this.of(name).map(({ index }) => index));
  }

  /** Resolves when `holds` does after a fact was told, or when it is too late for that. */
  async until(holds: () => boolean, limit: number): Promise<void> {
    const late = new AbortController();
    const held = new Promise<void>((resolve) => {
      this.#look = () => {
        if (holds()) resolve();
      };
      this.#look();
    });
    await Promise.race([held, sleep(limit, undefined, late).catch(() => {})]);
    late.abort();
  }

  /** Resolves when every socket has told it, or when it is too late for that. */
  all(name: Fact['name'], limit: number): Promise<void> {
    return this.until(() => this.socketsWith(name).size === SOCKETS, limit);
  }

  /** How many pings wait for their pong. */
  get asking(): number {
    return this.of('ping').length - this.of('pong').length;
  }
}

/** A server that is itself patient, behind a slow link, and a client in its steady state. */
async function start({
  onTestFinished,
}: TestContext): Promise<{ proxy: TcpProxy; client: Client }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  attachHeartbeat(server, { pingInterval: 60_000, pingTimeout: 60_000 });
  await once(server, 'listening');
  const proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
  proxy.delay = ROUND_TRIP;
  const client = new Client(proxy.port);
  onTestFinished(async () => {
    client.process.kill('SIGKILL');
    await proxy.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await client.all('pong', 20_000 * MS);
  await sleep(1_500); // each has gone on to pings of its own time
  return { proxy, client };
}

/** Stops it while some of its sockets wait for a pong. Resolves to the instant when it goes on. */
async function stop(client: Client, meanwhile: () => void = () => {}): Promise<number> {
  await client.until(() => client.asking >= ASKING, 20_000 * MS);
  expect(client.asking).toBeGreaterThanOrEqual(ASKING);
  client.process.kill('SIGSTOP');
  meanwhile();
  await sleep(STOPPED);
  const continuedAt = Date.now();
  client.process.kill('SIGCONT');
  return continuedAt;
}

/** The lateness of each stall of one socket, in order. */
const stallsOf = (client: Client, index: number) =>
  client.of('stall', index).map(({ lateBy }) => lateBy);

describe.concurrent('a Node client that was stopped for 6 s', () => {
  it('does not declare a living server dead: 20 of 20, and emits its stall', async (context) => {
    const { client } = await start(context);
    const continuedAt = await stop(client);
    await sleep(SETTLED * MS);
    // It goes on. A busy machine may stall it again, so the stall that counts is not the last one.
    const stallOf = (index: number) =>
      client.of('stall', index).find(({ at }) => at >= continuedAt);
    const goesOn = (index: number) =>
      client.of('pong', index).some(({ at }) => at >= (stallOf(index)?.at ?? Number.NaN));
    const all = Array.from({ length: SOCKETS }, (_, index) => index);
    await client.until(() => all.every(goesOn), 20_000 * MS);
    expect(client.of('dead')).toEqual([]);
    for (const index of all) {
      expect(Math.max(...stallsOf(client, index))).toBeGreaterThan(STOPPED - BOUND + 1_000);
      expect([index, goesOn(index)]).toEqual([index, true]);
    }
  });

  it('finds a server dead that is gone meanwhile: 20 of 20, within the bound', async (context) => {
    const { client, proxy } = await start(context);
    expect(new Set(client.of('pong').map((fact) => fact.detectionBound))).toEqual(new Set([BOUND]));
    const continuedAt = await stop(client, () => proxy.cut());
    await client.all('dead', 4 * BOUND * MS);
    await sleep(500);
    expect(client.socketsWith('dead').size).toBe(SOCKETS);
    expect(client.of('dead')).toHaveLength(SOCKETS);
    for (const { index, silentFor, at } of client.of('dead')) {
      const stalls = stallsOf(client, index);
      expect(silentFor).toBeLessThanOrEqual(BOUND + allowance(stalls, PING_TIMEOUT));
      // The first stall was over when it was continued.
      expect(at - continuedAt).toBeLessThanOrEqual(
        BOUND + allowance(stalls.slice(1), PING_TIMEOUT),
      );
    }
  });
});
