// A page whose main thread is blocked runs its overdue timers before the pongs that came meanwhile.
// It must not take that for a dead server, and must still find one that is dead.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { attachHeartbeat } from '@wirebeat/server';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { CHROMIUM_ARGUMENTS } from '../browsers/chromium.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { allowance, MS } from './allowance.ts';

const SOCKETS = 20;
const SPREAD = 97; // ms between two sockets: their phases differ all over the interval
const PING_TIMEOUT = 2_000;
const BOUND = 2_000 + PING_TIMEOUT + 250 + 3 * 250;
const ROUND_TRIP = 800; // so that at most moments 8 of 20 wait for a pong
const ASKING = 6; // so many must, when it is blocked
const BLOCKED = 3_000;
const SETTLED = PING_TIMEOUT + 250 + 500; // after the block: by then a false verdict has fallen

const script = readFileSync(
  new URL('../../client/dist/wirebeat-client.min.js', import.meta.url),
  'utf8',
);

/**
 * The page's own code: half of its sockets are native ones with a heartbeat attached, half come back
 * by themselves.
 */
const PAGE = `
const timing = { pingInterval: 2_000, pingTimeout: ${PING_TIMEOUT} };
const names = ['ping', 'pong', 'stall', 'dead'];
const facts = [];
function tell(index, name, event, { detectionBound }) {
  facts.push({ index, name, at: performance.now(), detectionBound, ...event });
}
function open(index) {
  const url = 'ws://' + location.search.slice(1);
  if (index % 2 === 0) {
    const heartbeat = wirebeat.attachHeartbeat(new WebSocket(url), timing);
    for (const name of names) heartbeat.on(name, (event) => tell(index, name, event, heartbeat));
  } else {
    const socket = new wirebeat.ReconnectingWebSocket(url, [], timing);
    for (const name of names) {
      socket.addEventListener(name, ({ detail }) => tell(index, name, detail, socket));
    }
  }
}
for (let index = 0; index < ${SOCKETS}; index += 1) setTimeout(open, index * ${SPREAD}, index);
`;

interface Fact {
  readonly index: number;
  readonly at: number;
  readonly name: 'ping' | 'pong' | 'stall' | 'dead';
  readonly detectionBound: number;
  readonly silentFor: number;
  readonly lateBy: number;
}

let browser: Browser;
let pages: Server;

beforeAll(async () => {
  const executablePath = process.env['CHROMIUM_PATH'] || 'chromium';
  browser = await puppeteer.launch({
    executablePath,
    headless: true,
    args: [...CHROMIUM_ARGUMENTS],
  });
  pages = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<!doctype html><script>${script}</script><script>${PAGE}</script>`);
  });
  await once(pages.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  await browser?.close();
  pages?.close();
});

/** A server that is itself patient, behind a slow link, and a page of 20 sockets in their steady state. */
async function start({ onTestFinished }: TestContext): Promise<{ proxy: TcpProxy; page: Page }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  attachHeartbeat(server, { pingInterval: 60_000, pingTimeout: 60_000 });
  await once(server, 'listening');
  const proxy = await TcpProxy.listen({ to: (server.address() as AddressInfo).port });
  // A window of its own: a tab behind another would be a hidden page.
  const context = await browser.createBrowserContext();
  onTestFinished(async () => {
    await context.close();
    await proxy.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const page = await context.newPage();
  const { port } = pages.address() as AddressInfo;
  await page.goto(`http://127.0.0.1:${port}/?127.0.0.1:${proxy.port}`);
  await until(page, 'pong', 20_000 * MS);
  // Only now: Chromium opens the sockets to one address one after the other.
  proxy.delay = ROUND_TRIP;
  await sleep(2_500); // each has gone on to pings of its own time
  return { proxy, page };
}

/** Waits until each of the sockets has met it. */
async function until(page: Page, name: Fact['name'], timeout: number): Promise<void> {
  const met = `new Set(facts.filter(({ name }) => name === '${name}').map(({ index }) => index))`;
  await page.waitForFunction(`${met}.size === ${SOCKETS}`, { timeout, polling: 100 });
}

/**
 * Blocks the page at a moment when several sockets wait for a pong, which comes while it is blocked.
 * Returns the instants of the page between which it was.
 */
async function blockPage(page: Page): Promise<{ from: number; to: number }> {
  const count = (name: string) => `facts.filter((fact) => fact.name === '${name}').length`;
  const waits = `${count('ping')} - ${count('pong')} >= ${ASKING}`;
  return page.evaluate(
    async (waits, duration) => {
      // biome-ignore lint/security/noGlobalEval: its names are the page's
      while (!eval(waits)) await new Promise((resolve) => setTimeout(resolve, 10));
      const from = performance.now();
      while (performance.now() < from + duration);
      return { from, to: performance.now() };
    },
    waits,
    BLOCKED,
  );
}

async function factsOf(page: Page): Promise<(name: Fact['name'], index?: number) => Fact[]> {
  const facts = (await page.evaluate('facts')) as Fact[];
  return (name, index) =>
    facts.filter((fact) => fact.name === name && (index === undefined || fact.index === index));
}

describe.concurrent('a page that was blocked for 3 s', () => {
  it('does not declare a living server dead: 20 of 20, and emits its stall', async (context) => {
    const { page } = await start(context);
    const { to } = await blockPage(page);
    await sleep(SETTLED * MS);
    const facts = await factsOf(page);
    expect(facts('dead')).toEqual([]);
    expect(facts('stall').some(({ lateBy }) => lateBy > 1_000)).toBe(true);
    for (let index = 0; index < SOCKETS; index += 1) {
      expect(facts('pong', index).filter(({ at }) => at > to)).not.toEqual([]); // it goes on
    }
  });

  it('finds a server dead that is gone meanwhile: 20 of 20, within the bound', async (context) => {
    const { page, proxy } = await start(context);
    const blocked = blockPage(page);
    proxy.cut();
    const { to } = await blocked;
    await until(page, 'dead', 4 * BOUND * MS).catch(() => {}); // what is missing is seen below
    const facts = await factsOf(page);
    expect(new Set(facts('dead').map(({ index }) => index)).size).toBe(SOCKETS);
    expect(facts('dead')).toHaveLength(SOCKETS);
    expect(new Set(facts('pong').map((fact) => fact.detectionBound))).toEqual(new Set([BOUND]));
    for (const { index, silentFor, at } of facts('dead')) {
      const stalls = facts('stall', index);
      const lateBy = stalls.map((stall) => stall.lateBy);
      expect(silentFor).toBeLessThanOrEqual(BOUND + allowance(lateBy, PING_TIMEOUT));
      // The stall that was the block is over; it still owes its fresh ping the full timeout.
      const later = stalls.filter((stall) => stall.at > to + 250).map((stall) => stall.lateBy);
      expect(at - to).toBeLessThanOrEqual(BOUND + allowance(later, PING_TIMEOUT));
    }
  });
});
