import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { MS } from './allowance.ts';
import { DemoProcess } from './demo-process.ts';

const processes: DemoProcess[] = [];

function start(port: number | string, env?: NodeJS.ProcessEnv): DemoProcess {
  const demo = new DemoProcess(port, env);
  processes.push(demo);
  return demo;
}

afterEach(async () => {
  for (const demo of processes.splice(0)) {
    demo.signal('SIGKILL');
    await demo.exit();
  }
});

/** A request whose path goes out as it is given. */
async function request(url: string, path: string): Promise<IncomingMessage> {
  const [response] = await once(get(url, { path }), 'response');
  (response as IncomingMessage).resume();
  return response as IncomingMessage;
}

async function hurt(url: string, fault: string): Promise<number> {
  const { status } = await fetch(`${url}/faults/${fault}`, { method: 'POST' });
  return status;
}

/** A page's connection, that counts its messages. */
async function connect(
  url: string,
  page: string,
  path = 'socket',
): Promise<{ socket: WebSocket; heard: number }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/${path}?page=${page}`);
  const link = { socket, heard: 0 };
  socket.on('message', () => {
    link.heard += 1;
  });
  await once(socket, 'open');
  return link;
}

describe("the demo's server", () => {
  it('says where it is in one line, and ends with 0 at a signal', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const demo = start(0);
      const url = await demo.url();
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      await connect(url, 'one');
      const signalledAt = performance.now();
      demo.signal(signal);
      expect(await demo.exit()).toBe(0);
      expect(performance.now() - signalledAt).toBeLessThan(5_000 * MS);
      expect(demo.output.trim().split('\n')).toHaveLength(1);
      expect(demo.errors).toBe('');
    }
  });

  it('says in one sentence that its port is taken, or is none', async () => {
    const url = await start(0).url();
    const { port } = new URL(url);
    const second = start(port);
    expect(await second.exit()).toBe(1);
    expect(second.errors).toBe(
      `Port ${port} is taken. Set PORT to another one, or to 0 for any that is free.\n`,
    );
    const third = start('everywhere');
    expect(await third.exit()).toBe(1);
    expect(third.errors).toBe('PORT must be a number from 0 to 65535, not "everywhere".\n');
  });

  it('gives the page and its parts, and nothing else', async () => {
    const url = await start(0).url();
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/latency', 'text/html; charset=utf-8'],
      ['/race.js', 'text/javascript; charset=utf-8'],
      ['/latency.js', 'text/javascript; charset=utf-8'],
      ['/latency.css', 'text/css; charset=utf-8'],
    ] as const) {
      const { statusCode, headers } = await request(url, path);
      expect([statusCode, headers['content-type']]).toEqual([200, type]);
      expect(headers['cache-control']).toBe('no-store');
    }
    for (const path of ['/server.js', '/../server.js', '/%2e%2e/package.json', '//page.js/..']) {
      expect((await request(url, path)).statusCode).toBe(404);
    }
  });

  it('hurts the page that asks, and no other', async () => {
    const url = await start(0).url();
    const one = await connect(url, 'one');
    const other = await connect(url, 'other');
    expect(await hurt(url, 'cut?page=nobody')).toBe(404);
    expect(await hurt(url, 'cut?page=one')).toBe(204);
    const before = { one: one.heard, other: other.heard };
    await expect.poll(() => other.heard - before.other, { timeout: 5_000 * MS }).toBeGreaterThan(1);
    expect(one.heard).toBe(before.one);
    expect(one.socket.readyState).toBe(WebSocket.OPEN);
    const again = await connect(url, 'one');
    await expect.poll(() => again.heard, { timeout: 5_000 * MS }).toBeGreaterThan(0);
  });

  it('holds a page back without losing anything, and restarts its servers', async () => {
    const url = await start(0).url();
    const { socket } = await connect(url, 'one', 'race');
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(String(data)));
    expect(await hurt(url, 'hold?page=one')).toBe(204);
    socket.send('held back');
    await expect.poll(() => heard, { timeout: 20_000 * MS }).toContain('held back');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    expect(await hurt(url, 'restart?page=one')).toBe(204);
    await closed;
    const again = async () => {
      const probe = new WebSocket(`${url.replace('http', 'ws')}/socket?page=one`);
      probe.on('error', () => {});
      const opened = await Promise.race([
        once(probe, 'open').then(() => true),
        once(probe, 'close').then(() => false),
      ]);
      probe.terminate();
      return opened;
    };
    await expect.poll(again, { timeout: 20_000 * MS, interval: 200 }).toBe(true);
  });

  it('loses packets of a page, but no message and not their order', async () => {
    const url = await start(0).url();
    const { socket } = await connect(url, 'one', 'race');
    const heard: number[] = [];
    const latencies: number[] = [];
    socket.on('message', (data) => {
      const at = Number(data);
      heard.push(at);
      latencies.push(performance.now() - at);
    });
    expect(await hurt(url, 'lose?page=one')).toBe(204);
    const sent: number[] = [];
    while (sent.length < 300 && Math.max(0, ...latencies) < 200) {
      sent.push(performance.now());
      socket.send(String(sent.at(-1)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await expect.poll(() => heard, { timeout: 20_000 * MS }).toEqual(sent);
    expect(Math.max(...latencies)).toBeGreaterThanOrEqual(190);
  });

  it('refuses the pages of other sites, unless they are allowed: requests, faults and WebSockets', async () => {
    const friend = 'http://localhost:3000';
    const demo = start(0, { ALLOWED_ORIGINS: friend });
    const url = await demo.url();
    await connect(url, 'one');
    const statusOf = async (origin: string) => {
      const method = 'POST';
      const fault = await fetch(`${url}/faults/delay?page=one&ms=0`, {
        method,
        headers: { origin },
      });
      const page = await fetch(url, { headers: { origin } });
      const socket = new WebSocket(`${url.replace('http', 'ws')}/socket?page=two`, { origin });
      socket.on('error', () => {});
      const opened = once(socket, 'open').then(() => 101);
      const refused = once(socket, 'unexpected-response').then(([, answer]) => answer.statusCode);
      const upgrade = await Promise.any([opened, refused]);
      socket.terminate();
      return [fault.status, page.status, upgrade];
    };
    for (const origin of [url, friend]) expect(await statusOf(origin)).toEqual([204, 200, 101]);
    for (const origin of ['https://evil.example', 'http://127.0.0.1:1', 'null', `${url}.evil`]) {
      expect(await statusOf(origin)).toEqual([403, 403, 403]);
    }
  });

  it('ends at a signal while its WebSocket server is frozen', async () => {
    const demo = start(0);
    const url = await demo.url();
    const { socket } = await connect(url, 'one');
    socket.on('error', () => {}); // it ends with the process
    let pongs = 0;
    socket.on('pong', () => {
      pongs += 1;
    });
    socket.ping();
    await expect.poll(() => pongs).toBe(1);
    expect(await hurt(url, 'freeze?page=one')).toBe(204);
    await sleep(200 * MS);
    socket.ping();
    await sleep(200 * MS);
    expect(pongs).toBe(1);
    demo.signal('SIGINT');
    expect(await demo.exit()).toBe(0);
  });
});
