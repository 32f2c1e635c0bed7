// A process that was stopped and continued finds its timers overdue before it has read what came
// meanwhile. It must not take that for a dead server, and must still find one that is dead.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attachHeartbeat, type ServerHeartbeat } from '@wirebeat/server';
import { afterAll, describe, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { TcpProxy } from '../faults/tcp-proxy.ts';

const SOCKETS = 20;
const SPREAD = 97; // ms between two sockets: their phases differ all over the interval
const STOPPED = 6_000;
const SETTLE = 4_000; // how long a false verdict would have to show itself

interface Fact {
  readonly index: number;
  readonly name: 'ready' | 'stall' | 'dead';
  readonly silentFor?: number;
  readonly lateBy?: number;
  readonly detectionBound?: number;
}

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startServer(): Promise<{ port: number; heartbeat: ServerHeartbeat<WebSocket> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  const heartbeat = attachHeartbeat(server, { pingInterval: 60_000, pingTimeout: 60_000 });
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, heartbeat };
}

/** Starts the client and waits until each of its sockets has had a pong. */
async function startClient(port: number): Promise<{ client: ChildProcess; facts: Fact[] }> {
  const script = fileURLToPath(new URL('stopped-client.mjs', import.meta.url));
  const args = [script, `ws://127.0.0.1:${port}`, String(SOCKETS), String(SPREAD)];
  const client = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(() => client.kill('SIGKILL'));
  const facts: Fact[] = [];
  const lines = createInterface({ input: client.stdout });
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      facts.push(JSON.parse(line));
      if (facts.filter(({ name }) => name === 'ready').length === SOCKETS) resolve();
    });
  });
  await sleep(2_000); // into the steady state, where each waits for its own time
  return { client, facts };
}

const named = (facts: readonly Fact[], name: Fact['name']) =>
  facts.filter((fact) => fact.name === name);

describe('a Node client that was stopped for 6 s', () => {
  it.concurrent('does not declare a living server dead: 20 of 20', async () => {
    const { port } = await startServer();
    const { client, facts } = await startClient(port);
    client.kill('SIGSTOP');
    await sleep(STOPPED);
    client.kill('SIGCONT');
    await sleep(SETTLE);
    expect(named(facts, 'dead')).toEqual([]);
    // The stop was in force: timers found themselves late by seconds.
    expect(named(facts, 'stall').filter(({ lateBy = 0 }) => lateBy > 2_000)).not.toEqual([]);
  });

  it.concurrent('finds a server dead that is gone meanwhile: 20 of 20', async () => {
    const { port } = await startServer();
    const proxy = await TcpProxy.listen({ to: port });
    closers.push(() => proxy.close());
    const { client, facts } = await startClient(proxy.port);
    const bound = named(facts, 'ready')[0]?.detectionBound ?? 0;
    client.kill('SIGSTOP');
    proxy.cut();
    await sleep(STOPPED);
    client.kill('SIGCONT');
    await sleep(bound + 2_000);
    const dead = named(facts, 'dead');
    expect(new Set(dead.map(({ index }) => index)).size).toBe(SOCKETS);
    // Law 14: the stop adds its length, and one timeout with its slack for the probe after it.
    for (const { silentFor } of dead) {
      expect(silentFor).toBeLessThanOrEqual(bound + STOPPED + 2_000 + 250 + 500);
    }
  });
});
