// The example chat, in three tabs of Chromium, while its connections fail in every way.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { Program } from '../programs/program.ts';
import { MS } from './allowance.ts';

/** What the page offers to the console. */
declare const say: (text: string) => void;

interface Line {
  readonly n: number;
  readonly text: string;
  readonly tick: string;
}

const SERVER = fileURLToPath(new URL('../../../examples/chat/server.mjs', import.meta.url));
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  // Only one tab can be in front.
  ...['--disable-background-timer-throttling', '--disable-backgrounding-occluded-windows'],
];
const WAIT = { timeout: 60_000 * MS, interval: 200 };
/** Of all faults: after some of them, a tab learns only from its next ping that its link is dead. */
const LIMIT = 300_000 * MS;

let server: Program;
let proxy: TcpProxy;
let browser: Browser;
let tabs: Page[];

async function signIn(user: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${proxy.port}/`);
  await page.type('#name', user);
  await page.click('#sign-in button');
  return page;
}

/** The messages that a tab shows, in order. */
function linesOf(page: Page): Promise<Line[]> {
  return page.$$eval('#log li', (items) =>
    items.map((item) => ({
      n: Number(item.dataset['n']),
      text: item.childNodes[1]?.textContent?.trim() ?? '',
      tick: item.lastChild?.textContent ?? '',
    })),
  );
}

const stateOf = (page: Page) => page.$eval('body', ({ dataset }) => dataset['state']);

beforeAll(async () => {
  server = new Program(process.execPath, [SERVER], { PORT: '0' });
  const url = await server.prints(/http:\/\/127\.0\.0\.1:\d+/);
  proxy = await TcpProxy.listen({ to: Number(new URL(url).port) });
  browser = await puppeteer.launch({
    executablePath: process.env['CHROMIUM_PATH'] || 'chromium',
    args: ARGUMENTS,
  });
  tabs = [await signIn('ann'), await signIn('ann'), await signIn('bob')];
});

afterAll(async () => {
  await browser?.close();
  await proxy?.close();
  await server?.end();
});

const FAULTS: readonly (readonly [name: string, strike: () => unknown])[] = [
  ['a silent cut', () => proxy.cut()],
  ['a reset', () => proxy.reset()],
  ['a cut towards the server', () => proxy.cut('outward')],
  ['a cut towards the page', () => proxy.cut('homeward')],
  [
    'a network that stops for three seconds',
    async () => {
      proxy.freeze();
      await sleep(3_000);
      proxy.resume();
    },
  ],
  ['an end without a word', () => proxy.finish()],
];

describe('the chat', () => {
  it('shows each message to all tabs once and in one order, whatever happens', {
    timeout: LIMIT,
  }, async () => {
    const said: string[] = [];
    const speak = async (rounds: number, what: string) => {
      for (let round = 0; round < rounds; round += 1) {
        for (const [index, tab] of tabs.entries()) {
          const text = `${what}, ${round}, from tab ${index}`;
          said.push(text);
          await tab.evaluate((text) => say(text), text);
        }
        await sleep(50);
      }
    };
    for (const [name, strike] of FAULTS) {
      await speak(5, `before ${name}`);
      const struck = strike();
      await speak(10, `after ${name}`);
      await struck;
      for (const tab of tabs) {
        await expect.poll(async () => (await linesOf(tab)).length, WAIT).toBe(said.length);
        await expect
          .poll(async () => (await linesOf(tab)).every(({ n }) => n > 0), WAIT)
          .toBe(true);
      }
    }
    const [first = [], ...others] = await Promise.all(tabs.map(linesOf));
    expect(first.map(({ n }) => n)).toEqual(first.map((_, index) => index + 1));
    expect(first.map(({ text }) => text).toSorted()).toEqual(said.toSorted());
    for (const lines of others) {
      expect(lines.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
    }
    const own = first.filter(({ text }) => text.endsWith('from tab 0'));
    expect(new Set(own.map(({ tick }) => tick))).toEqual(new Set(['✓✓']));
  });

  it('shows the connection by its status element', async () => {
    const word = () =>
      tabs[0]?.$eval(
        'wirebeat-status',
        ({ shadowRoot }) => shadowRoot?.querySelector('.word')?.textContent,
      );
    await expect.poll(word, WAIT).toBe('Connected');
  });

  it('ends in all tabs of a user who signs out, and connects no more', async () => {
    const [ann, other, bob] = tabs as [Page, Page, Page];
    await ann.$eval('#sign-out', (button) => (button as HTMLElement).click()); // it is not in front
    for (const tab of [ann, other]) await expect.poll(() => stateOf(tab), WAIT).toBe('out');
    expect(await stateOf(bob)).toBe('in');
  });

  it('ends when there is no token any more', async () => {
    const [, , bob] = tabs as [Page, Page, Page];
    // Another device: the server closes with 4401, or refuses the next token.
    proxy.freeze();
    await fetch(`http://127.0.0.1:${proxy.to}/sign-out?user=bob`, { method: 'POST' });
    proxy.reset();
    proxy.resume();
    await expect.poll(() => stateOf(bob), WAIT).toBe('out');
    expect(await bob.$eval('#notice', ({ textContent }) => textContent)).toContain('signed out');
  });
});
