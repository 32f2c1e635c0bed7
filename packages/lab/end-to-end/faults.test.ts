// The faults that are no network's: each is really in force, and is not where it is not asked for.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attachHeartbeat } from '@wirebeat/server';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { blockLoop } from '../faults/blocked-loop.ts';
import { readSlowly } from '../faults/slow-reader.ts';
import { stopProcess } from '../faults/stopped-process.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { WallClock } from '../faults/wall-clock.ts';
import { findProgram } from '../programs/find-program.ts';
import { Program } from '../programs/program.ts';
import { MS } from './allowance.ts';

const TICKING = fileURLToPath(new URL('ticking.mjs', import.meta.url));
const CLIENT = fileURLToPath(new URL('jumping-client.mjs', import.meta.url));
const HOUR = 3_600_000;

interface Tick {
  readonly wall: number;
  readonly monotonic: number;
}

const ticksOf = (output: string): Tick[] =>
  output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** The longest time between two ticks, by a clock. */
function longest(ticks: readonly Tick[], clock: keyof Tick): number {
  const gaps = ticks.slice(1).map((tick, index) => tick[clock] - (ticks[index]?.[clock] ?? 0));
  return Math.max(...gaps);
}

describe('a blocked loop', () => {
  it('runs no timer before it is over', async () => {
    const startedAt = performance.now();
    let ranAt = 0;
    setTimeout(() => {
      ranAt = performance.now();
    }, 10);
    blockLoop(300);
    expect(ranAt).toBe(0);
    await sleep(20);
    expect(ranAt - startedAt).toBeGreaterThanOrEqual(300);
  });
});

describe('a stopped process', () => {
  it('does nothing meanwhile, and goes on', async () => {
    const child = spawn(process.execPath, [TICKING], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (bytes) => {
      output += bytes;
    });
    await expect.poll(() => ticksOf(output).length, { timeout: 20_000 * MS }).toBeGreaterThan(5);
    await stopProcess(child.pid as number, 1_500);
    const { length } = ticksOf(output);
    await expect
      .poll(() => ticksOf(output).length, { timeout: 20_000 * MS })
      .toBeGreaterThan(length + 5);
    child.kill('SIGKILL');
    expect(longest(ticksOf(output), 'monotonic')).toBeGreaterThanOrEqual(1_400);
  });
});

describe('a proxy that cuts off one client', () => {
  it('loses what that client has sent and was held back, and carries the others', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    let received = '';
    server.on('connection', (peer) => {
      peer.on('data', (bytes) => {
        received += bytes;
      });
    });
    const proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
    const clients = await Promise.all(
      ['one', 'two'].map(async (text) => {
        const client = connect(proxy.port, '127.0.0.1');
        await once(client, 'connect');
        await expect.poll(() => proxy.flows, { timeout: 20_000 * MS }).toBeGreaterThan(0);
        return { client, text };
      }),
    );
    await expect.poll(() => proxy.flows, { timeout: 20_000 * MS }).toBe(2);
    proxy.freeze();
    for (const { client, text } of clients) client.write(text);
    await sleep(100);
    proxy.cutOff(clients[0]?.client.localPort ?? 0);
    proxy.resume();
    await expect.poll(() => received, { timeout: 20_000 * MS }).toBe('two');
    clients[0]?.client.write('more');
    await sleep(100);
    expect(received).toBe('two');
    for (const { client } of clients) client.destroy();
    await proxy.close();
    server.close();
  });
});

describe('a slow reader', () => {
  it.each([
    ['is sent more than it takes', 0, true],
    ['takes all where it is not slow', undefined, false],
  ])('%s', async (_, rate, isSlow) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [Socket];
    peer.on('error', () => {}); // the client leaves with bytes unread, which resets the connection
    const end = rate === undefined ? () => client.resume() : readSlowly(client, rate);
    if (rate === undefined) client.resume();
    peer.write(Buffer.alloc(30_000_000)); // more than the kernels hold
    await sleep(500);
    if (isSlow) expect(peer.writableLength).toBeGreaterThan(0);
    else await expect.poll(() => peer.writableLength, { timeout: 20_000 * MS }).toBe(0);
    end();
    await expect.poll(() => peer.writableLength, { timeout: 20_000 * MS }).toBe(0);
    client.destroy();
    server.close();
  });
});

const faketime = findProgram('FAKETIME_PATH');

describe.skipIf(faketime === undefined && process.env['CI'] !== 'true')('a wall clock', () => {
  it('jumps, and the other clock does not', async () => {
    const clock = new WallClock(faketime as string);
    const program = new Program(process.execPath, [TICKING], clock.env);
    try {
      await expect
        .poll(() => ticksOf(program.output).length, { timeout: 20_000 * MS })
        .toBeGreaterThan(3);
      expect(longest(ticksOf(program.output), 'wall')).toBeLessThan(HOUR / 2);
      clock.jump(HOUR);
      const isAhead = () => longest(ticksOf(program.output), 'wall') > HOUR / 2;
      await expect.poll(isAhead, { timeout: 20_000 * MS }).toBe(true);
      expect(longest(ticksOf(program.output), 'monotonic')).toBeLessThan(HOUR / 2);
    } finally {
      await program.end();
      clock.close();
    }
  });

  it('that jumps to and fro is no timeout', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    attachHeartbeat(server);
    await once(server, 'listening');
    const clock = new WallClock(faketime as string);
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const program = new Program(process.execPath, [CLIENT, url], clock.env);
    const pongs = () => program.output.split('pong').length - 1;
    try {
      await expect.poll(pongs, { timeout: 20_000 * MS }).toBeGreaterThan(1);
      for (const offset of [10 * HOUR, -10 * HOUR, 0]) {
        clock.jump(offset);
        const before = pongs();
        await expect.poll(pongs, { timeout: 20_000 * MS }).toBeGreaterThan(before + 1);
      }
      expect(program.output).not.toMatch(/dead|close/);
    } finally {
      await program.end();
      clock.close();
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });
});
