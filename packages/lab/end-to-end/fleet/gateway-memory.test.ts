// A gateway with a heap of 64 MiB, and pages that want more of it than there is.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, type TestContext } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Program } from '../../programs/program.ts';
import { MS } from '../allowance.ts';
import { IS_LONG } from '../scale.ts';

const MAIN = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));
const HEAP = 64; // MiB
const HELD = 1_024; // connections, by default, for that heap
const IDLE = IS_LONG ? 5_000 : 1_300;
const ATTACKERS = 10; // of each kind
const PINGS = IS_LONG ? 100_000 : 10_000; // of all attackers of a kind
const DOWNLOAD = (IS_LONG ? 1_024 : 64) * 1_048_576;
const HALF_REQUESTS = 200;
const AT_ONCE = 50;

/** Answers Pings, but at `/mute` sends now and then and answers none; sends a long message at `/long`, and echoes elsewhere. */
async function startUpstream({ onTestFinished }: TestContext): Promise<string> {
  const options = { noServer: true, maxPayload: 0 };
  const mute = new WebSocketServer({ ...options, autoPong: false });
  const able = new WebSocketServer(options);
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    const { url } = request;
    (url === '/mute' ? mute : able).handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => {});
      if (url === '/mute') sendNowAndThen(client);
      else if (url === '/long') void sendLong(client);
      else client.on('message', (data) => client.send(String(data)));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const client of [...mute.clients, ...able.clients]) client.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function sendNowAndThen(client: WebSocket): void {
  const timer = setInterval(() => client.send('it lives'), 1_000);
  client.once('close', () => clearInterval(timer));
}

async function sendLong(client: WebSocket): Promise<void> {
  const chunk = Buffer.alloc(1_048_576);
  for (let sent = 0; sent < DOWNLOAD && client.readyState === client.OPEN; sent += chunk.length) {
    await new Promise((resolve) => client.send(chunk, resolve));
  }
  client.send('all of it');
}

async function startGateway({ onTestFinished }: TestContext, upstream: string) {
  const folder = mkdtempSync(join(tmpdir(), 'wirebeat-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'gateway.json');
  // The pages below are bytes only, and answer no Ping: they are not to be judged by that.
  const config = {
    listen: '127.0.0.1:0',
    status: 'public',
    upstream,
    pingLimit: false,
    pingInterval: false,
  };
  writeFileSync(path, JSON.stringify(config));
  const flags = [`--max-old-space-size=${HEAP}`, MAIN, 'gateway', '--config', path];
  const gateway = new Program(process.execPath, flags);
  onTestFinished(() => gateway.end());
  const url = JSON.parse(await gateway.prints(/.*"listening".*(?=\n)/)).url;
  return { gateway, port: Number(new URL(url).port) };
}

const HANDSHAKE =
  'Host: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A page of bytes only, so that very many cost this process little. */
async function dial(port: number, path: string): Promise<{ socket: Socket; status: number }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\n${HANDSHAKE}`);
  const answer = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(String(answer[0]))?.[1] ?? 0);
  socket.resume();
  return { socket, status };
}

/** Frames of a page, each a short text, masked with zeros: RFC 6455 §5.3. */
function textFrames(texts: readonly string[]): Buffer {
  const frames = texts.map((text) => {
    const payload = Buffer.from(text);
    return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
  });
  return Buffer.concat(frames);
}

async function ping(socket: Socket, count: number): Promise<void> {
  for (let sent = 0; sent < count && !socket.destroyed; sent += 500) {
    const texts = Array.from({ length: 500 }, (_, index) => `\u0005wb.${sent + index}`);
    if (!socket.write(textFrames(texts))) {
      await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    }
  }
}

async function openPage(port: number, path: string): Promise<WebSocket> {
  const page = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  page.on('error', () => {});
  await once(page, 'open');
  return page;
}

async function echo(page: WebSocket, text: string): Promise<string> {
  const answer = once(page, 'message', { signal: AbortSignal.timeout(20_000 * MS) });
  page.send(text);
  return String((await answer)[0]);
}

/** Reads little at a time, and resolves to how many bytes came in messages before the last one. */
function readSlowly(page: WebSocket): Promise<number> {
  let bytes = 0;
  return new Promise((resolve) => {
    page.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return resolve(bytes);
      bytes += data.length;
      page.pause();
      setTimeout(() => page.resume(), 2);
    });
  });
}

it('refuses with 503 what a heap of 64 MiB cannot hold, serves the others, and lives', {
  timeout: 300_000 * MS,
}, async (context) => {
  const { gateway, port } = await startGateway(context, await startUpstream(context));
  const sockets: Socket[] = [];
  context.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const bystander = await openPage(port, '/');
  context.onTestFinished(() => bystander.terminate());
  const reader = await openPage(port, '/long');
  context.onTestFinished(() => reader.terminate());
  const download = readSlowly(reader);

  const attackers: Socket[] = [];
  for (const path of ['/mute', '/']) {
    for (let count = 0; count < ATTACKERS; count += 1) {
      const { socket, status } = await dial(port, path);
      expect(status).toBe(101);
      if (path === '/') socket.pause(); // it reads no pong
      attackers.push(socket);
      sockets.push(socket);
    }
  }
  const pinged = Promise.all(attackers.map((socket) => ping(socket, PINGS / ATTACKERS)));
  for (let count = 0; count < HALF_REQUESTS; count += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`GET / HTTP/1.1\r\nX: ${'x'.repeat(15_000)}\r\n`);
    sockets.push(socket);
  }

  const statuses = new Map<number, number>();
  const idle: Socket[] = [];
  let left = IDLE;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const { socket, status } = await dial(port, '/idle');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 101) idle.push(socket);
      else socket.destroy();
      sockets.push(socket);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  expect([...statuses.keys()].sort()).toEqual([101, 503]);
  const held = HELD - 2 - 2 * ATTACKERS;
  expect(statuses.get(101)).toBeLessThanOrEqual(held);
  expect(statuses.get(101)).toBeGreaterThan(held / 2);

  await pinged;
  expect(await echo(bystander, 'while it is full')).toBe('while it is full');
  const health = await fetch(`http://127.0.0.1:${port}/healthz`);
  expect(await health.json()).toMatchObject({ state: 'running' });
  expect(await download).toBe(DOWNLOAD);
  expect(await echo(bystander, 'after all')).toBe('after all');
  expect(gateway.hasEnded).toBe(false);

  for (const socket of idle) socket.destroy();
  await expect
    .poll(
      async () => {
        const { socket, status } = await dial(port, '/idle');
        socket.destroy();
        return status;
      },
      { timeout: 30_000 * MS, interval: 200 },
    )
    .toBe(101);
});
