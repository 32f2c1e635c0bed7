// A page whose main thread is blocked runs its overdue timers before the pongs that came meanwhile.
// It must not take that for a dead server, and must still find one that is dead.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachHeartbeat } from '@wirebeat/server';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { TcpProxy } from '../faults/tcp-proxy.ts';

const SOCKETS = 20;
const BLOCKED = 3_000;
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const script = readFileSync(
  new URL('../../client/dist/wirebeat-client.min.js', import.meta.url),
  'utf8',
);

/**
 * The page's own code: half of its sockets are native ones with a heartbeat attached, half come back
 * by themselves. They open 97 ms apart, so that their phases differ.
 */
const PAGE = `
const timing = { pingInterval: 2_000, pingTimeout: 2_000 };
const facts = [];
const tell = (index, name, detail) => facts.push({ index, name, ...detail });
function open(index) {
  const url = 'ws://' + location.search.slice(1);
  if (index % 2 === 0) {
    const heartbeat = wirebeat.attachHeartbeat(new WebSocket(url), timing);
    for (const name of ['pong', 'stall', 'dead']) heartbeat.on(name, (event) => tell(index, name, event));
  } else {
    const socket = new wirebeat.ReconnectingWebSocket(url, [], timing);
    for (const name of ['pong', 'stall', 'dead']) {
      socket.addEventListener(name, ({ detail }) => tell(index, name, detail));
    }
  }
}
for (let index = 0; index < ${SOCKETS}; index += 1) setTimeout(open, index * 97, index);
`;

interface Fact {
  readonly index: number;
  readonly name: 'pong' | 'stall' | 'dead';
  readonly silentFor?: number;
}

let browser: Browser;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  const executablePath = process.env['CHROMIUM_PATH'] ?? 'chromium';
  browser = await puppeteer.launch({ executablePath, headless: true, args: ARGUMENTS });
  closers.push(() => browser.close());
});

afterAll(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startSockets(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  attachHeartbeat(server, { pingInterval: 60_000, pingTimeout: 60_000 });
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Opens a page of 20 sockets, and waits until each has had a pong and a full period has passed. */
async function openPage(port: number): Promise<Page> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><script>${script}</script><script>${PAGE}</script>`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closers.push(() => server.close());
  // A window of its own: a tab behind another would be a hidden page.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/?127.0.0.1:${port}`);
  const answered =
    'new Set(facts.filter((fact) => fact.name === "pong").map((fact) => fact.index))';
  await page.waitForFunction(`${answered}.size === ${SOCKETS}`, { timeout: 20_000 });
  await sleep(2_500);
  return page;
}

async function blockPage(page: Page): Promise<void> {
  await page.evaluate((duration) => {
    const end = performance.now() + duration;
    while (performance.now() < end);
  }, BLOCKED);
}

async function factsOf(page: Page, name: Fact['name']): Promise<Fact[]> {
  const facts = (await page.evaluate('facts')) as Fact[];
  return facts.filter((fact) => fact.name === name);
}

describe('a page that was blocked for 3 s', () => {
  it.concurrent('does not declare a living server dead: 20 of 20', async () => {
    const page = await openPage(await startSockets());
    await blockPage(page);
    await sleep(4_000);
    expect(await factsOf(page, 'dead')).toEqual([]);
    expect(await factsOf(page, 'stall')).not.toEqual([]); // the block was in force
  });

  it.concurrent('finds a server dead that is gone meanwhile: 20 of 20', async () => {
    const proxy = await TcpProxy.listen({ to: await startSockets() });
    closers.push(() => proxy.close());
    const page = await openPage(proxy.port);
    const blocked = blockPage(page);
    proxy.cut();
    await blocked;
    const bound = 2_000 + 2_000 + 250 + 3 * 250;
    await sleep(bound + 2_000 + 250 + 500);
    const dead = await factsOf(page, 'dead');
    expect(new Set(dead.map(({ index }) => index)).size).toBe(SOCKETS);
    // Law 14: the block adds its length, and one timeout with its slack for the probe after it.
    for (const { silentFor } of dead) {
      expect(silentFor).toBeLessThanOrEqual(bound + BLOCKED + 2_000 + 250 + 500);
    }
  });
});
