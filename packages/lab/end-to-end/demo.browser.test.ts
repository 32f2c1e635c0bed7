import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_ARGUMENTS } from '../browsers/chromium.ts';
import { allowance, MS } from './allowance.ts';
import { DemoProcess } from './demo-process.ts';

interface Happening {
  readonly name: string;
  readonly at: number;
  readonly [detail: string]: unknown;
}

/** What the page shows to the console, and what {@link spyOnSockets} adds. */
declare const demo: { readonly events: readonly Happening[]; detectionBound(): number };
declare const sockets: { readonly socket: WebSocket; heard: number }[];

const PING_TIMEOUT = 2_000; // of the demo
const ARTIFACTS = fileURLToPath(new URL('../../../artifacts/', import.meta.url));

let server: DemoProcess;
let browser: Browser;
let page: Page;
let heardByOld = 0;

/** Keeps the native sockets of the page, and counts what each hears that is not forged. */
function spyOnSockets(): void {
  const kept: typeof sockets = [];
  class SpiedWebSocket extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      const spied = { socket: this, heard: 0 };
      kept.push(spied);
      this.addEventListener('message', ({ isTrusted }) => {
        if (isTrusted) spied.heard += 1;
      });
    }
  }
  Object.assign(globalThis, { WebSocket: SpiedWebSocket, sockets: kept });
}

beforeAll(async () => {
  server = new DemoProcess(0);
  browser = await puppeteer.launch({
    executablePath: process.env['CHROMIUM_PATH'] || 'chromium',
    args: [...CHROMIUM_ARGUMENTS],
  });
  page = await browser.newPage();
  await page.evaluateOnNewDocument(spyOnSockets);
  await page.goto(`${await server.url()}/latency`);
});

afterAll(async () => {
  await browser?.close();
  server?.signal('SIGKILL');
});

/** The happenings of one name since an instant. */
function since(at: number, name: string): Promise<Happening[]> {
  return page.evaluate(
    (at, name) => demo.events.filter((happening) => happening.name === name && happening.at >= at),
    at,
    name,
  );
}

/** Waits for the first happening of one name since an instant. */
async function first(at: number, name: string): Promise<Happening> {
  const options = { timeout: 20_000 * MS, polling: 50 };
  const isThere = (at: number, name: string) =>
    demo.events.some((happening) => happening.name === name && happening.at >= at);
  await page.waitForFunction(isThere, options, at, name);
  const [happening] = await since(at, name);
  return happening as Happening;
}

/** What the stalls of the page since an instant add to a bound. */
async function allowedSince(at: number): Promise<number> {
  const stalls = await since(at, 'stall');
  return allowance(
    stalls.map(({ lateBy }) => Number(lateBy)),
    PING_TIMEOUT,
  );
}

/** Presses a button. Resolves to the instant of that and the sentence on how it went. */
async function press(fault: string): Promise<{ at: number; result: string }> {
  const now = await page.evaluate(() => performance.now());
  await page.click(`#${fault}`);
  const { at } = await first(now, 'fault');
  await first(now, 'result');
  return { at, result: await textOf(`${fault}-result`) };
}

/** How many messages the socket that is going to be cut has heard. */
function countOld(): Promise<number> {
  return page.evaluate(() => sockets[0]?.heard ?? 0);
}

function textOf(id: string): Promise<string> {
  return page.$eval(`#${id}`, ({ textContent }) => textContent ?? '');
}

describe('the page of the demo', () => {
  it('measures both latencies', async () => {
    const { latency } = await first(0, 'pong');
    expect(latency).toBeGreaterThan(0);
    expect(await textOf('status')).toBe('alive');
    expect(await textOf('latency')).toMatch(/^[\d.]+ ms$/);
    await expect.poll(() => textOf('transport'), { timeout: 5_000 * MS }).toMatch(/^[\d.]+ ms$/);
  });

  it('finds a silent cut within its bound, and is back at once', async () => {
    const bound = await page.evaluate(() => demo.detectionBound()); // doubled after the death, until a pong
    const { at, result } = await press('cut');
    heardByOld = await countOld();
    const dead = await first(at, 'dead');
    const retry = await first(at, 'retry');
    const open = await first(at, 'open');
    expect(bound).toBe(5_000);
    const allowed = await allowedSince(at);
    expect(dead['silentFor']).toBeLessThanOrEqual(bound + allowed);
    expect(dead.at - at).toBeLessThanOrEqual(bound + allowed);
    // And no 60 s of a handshake.
    expect(open.at - dead.at).toBeLessThanOrEqual(Number(retry['delay']) + 5_000 * MS);
    expect(await since(at, 'suspect')).toHaveLength(1);
    expect(await since(at, 'close')).toMatchObject([{ code: 3008 }]);
    expect(result).toMatch(
      /^Cut: detected after [\d.]+ s \(bound 5\.00 s\), back after [\d.]+ s\.$/,
    );
    // The death doubled `pingTimeout`; the first pong on time takes that back.
    await expect.poll(() => textOf('bound'), { timeout: 5_000 * MS }).toBe('5.00 s');
    expect(await textOf('status')).toBe('alive');
  });

  it('is not moved by the late events of the old socket', async () => {
    const now = await page.evaluate(() => {
      const now = performance.now();
      const [old] = sockets;
      old?.socket.dispatchEvent(new MessageEvent('message', { data: '{"transport":987654}' }));
      old?.socket.dispatchEvent(new MessageEvent('message', { data: '\u0006wb' }));
      for (const name of ['open', 'error']) old?.socket.dispatchEvent(new Event(name));
      old?.socket.dispatchEvent(new CloseEvent('close', { code: 1006 }));
      return now;
    });
    await first(now, 'pong'); // of the new one
    for (const name of ['open', 'close', 'retry', 'dead', 'alive', 'suspect']) {
      expect(await since(now, name)).toEqual([]);
    }
    expect(await textOf('transport')).not.toContain('987654');
    expect(await page.evaluate(() => sockets.length)).toBe(2);
  });

  it('sees a delay in the latency, and only there', async () => {
    const { at, result } = await press('delay');
    expect(result).toMatch(/^Delay: on, seen after [\d.]+ s, latency now \d+ ms; no reconnection/);
    const { latency } = await first((await first(at, 'result')).at, 'pong');
    expect(latency).toBeGreaterThanOrEqual(300);
    const off = await press('delay');
    expect(off.result).toMatch(/^Delay: off, seen after/); // by a latency below that
    expect(await since(at, 'dead')).toEqual([]);
  });

  it('does not blame its own stall on the link', async () => {
    const { at, result } = await press('block');
    expect(result).toMatch(/^Block: noticed and not blamed on the link/);
    expect((await first(at, 'stall'))['lateBy']).toBeGreaterThan(250);
    await first((await first(at, 'result')).at, 'pong');
    expect(await since(at, 'dead')).toEqual([]);
    expect(await since(at, 'open')).toEqual([]);
  });

  it('leaves a frozen server, and is back when it thaws', async () => {
    const { at, result } = await press('freeze');
    const [dead, open] = [await first(at, 'dead'), await first(at, 'open')];
    expect(dead.at - at).toBeLessThan(5_000 + (await allowedSince(at)));
    expect(open.at - at).toBeGreaterThan(4_900);
    expect(result).toMatch(/^Freeze: detected after/);
  });

  it('has received nothing on the connection that was cut', async () => {
    // Meanwhile the server gave it up too, and closed: that was not carried either.
    expect(heardByOld).toBeGreaterThan(0);
    expect(await countOld()).toBe(heardByOld);
    expect(await since(0, 'dead')).toHaveLength(2); // one by the cut, one by the freeze
    expect(await since(0, 'open')).toHaveLength(3);
    await mkdir(ARTIFACTS, { recursive: true });
    await page.screenshot({ path: `${ARTIFACTS}demo.png`, fullPage: true });
  });

  it('races socket.io and the WebSocket of the browser over a link that is cut silently', async () => {
    const race = await browser.newPage();
    await race.goto(new URL('/', page.url()).href);
    const shows = (selector: string, pattern: RegExp) => {
      const read = () => race.$eval(selector, ({ textContent }) => textContent ?? '');
      return expect.poll(read, { timeout: 20_000 * MS }).toMatch(pattern);
    };
    for (const lane of ['plain', 'socket-io', 'wirebeat']) {
      await shows(`#${lane} .counts`, /^\d+ sent, [1-9]\d* answered/);
    }
    await race.click('#cut');
    const lost = String.raw`still OPEN after [\d.]+ s, [1-9]\d* lost`;
    await shows(
      '#verdict',
      new RegExp(
        `^The link was cut silently\\.wirebeat: back after [\\d.]+ s, \\d+ lost` +
          `socket\\.io: ${lost}The browser’s own WebSocket: ${lost}$`,
      ),
    );
    await shows('#news', /^wirebeat: back after [\d.]+ s, \d+ lost$/);
    await mkdir(ARTIFACTS, { recursive: true });
    for (const width of [375, 1_440]) {
      await race.setViewport({ width, height: 800 });
      const overflow = 'document.documentElement.scrollWidth - innerWidth';
      expect(await race.evaluate(overflow)).toBeLessThanOrEqual(0);
      await race.screenshot({ path: `${ARTIFACTS}race-${width}.png`, fullPage: true });
    }
  });

  it('paints its content within a second', async () => {
    const race = await browser.newPage();
    await race.goto(new URL('/', page.url()).href);
    const paint = () =>
      race.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    await expect.poll(paint, { timeout: 5_000 * MS }).toBeDefined();
    expect(await paint()).toBeLessThan(1_000 * MS);
    await race.close();
  });

  it('draws the result as a picture that one can save', async () => {
    const [race] = (await browser.pages()).slice(-1);
    const drawn = await race?.evaluate(async () => {
      const links: HTMLAnchorElement[] = [];
      HTMLAnchorElement.prototype.click = function () {
        links.push(this);
      };
      URL.revokeObjectURL = () => {};
      document.getElementById('picture')?.dispatchEvent(new MouseEvent('click'));
      while (links.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const { href = '', download } = links[0] ?? {};
      const picture = await createImageBitmap(await (await fetch(href)).blob());
      return { download, width: picture.width, height: picture.height };
    });
    expect(drawn).toEqual({ download: 'wirebeat-race.png', width: 1_200, height: 630 });
  });

  it('leaves a server that ends with 0', async () => {
    server.signal('SIGINT');
    expect(await server.exit()).toBe(0);
  });
});
