// One connection for all tabs, in Chromium and Firefox; with iframes for tabs, in WebKit too.
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import puppeteer, { type Browser as Handle, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, launchBrowser } from '../browsers/browser.ts';
import { CHROMIUM_ARGUMENTS } from '../browsers/chromium.ts';
import { Profile } from '../browsers/profile.ts';
import { bundle } from '../bundle.mjs';
import { MS } from './allowance.ts';
import { serveScriptPage } from './browsers/script-page.ts';
import { Stage } from './browsers/stage.ts';

const OPEN = `
import { ReconnectingWebSocket } from '@wirebeat/client';
const url = new URL(location.href).searchParams.get('url');
const open = () => new ReconnectingWebSocket(url, undefined, { pingInterval: 1_000 });`;
const WORKER = `${OPEN}
import { serveTabs } from '@wirebeat/client/shared';
serveTabs(open);`;
const PAGE = `${OPEN}
import { SharedSocket } from '@wirebeat/client/shared';
globalThis.log = [];
if (url !== null) {
  const address = '/worker.js?url=' + encodeURIComponent(url);
  globalThis.socket = new SharedSocket(() => new SharedWorker(address), open);
  for (const name of ['open', 'close']) socket.addEventListener(name, () => log.push(name));
  socket.addEventListener('message', ({ data }) => log.push(data));
}`;
const HOW_TO = new URL('../../../docs/how-to/shared-socket.md', import.meta.url);
const BLOCK = /^```ts tested\n([\s\S]*?)^```$/gm;
const WAIT = { timeout: 20_000 * MS, interval: 50 };

let pages: Server;
let stage: Stage;

const addressOf = () => {
  const { port } = pages.address() as AddressInfo;
  return `http://127.0.0.1:${port}/?url=${encodeURIComponent(stage.url)}`;
};
/** A page of another site, without a socket. */
const elsewhere = () => `http://localhost:${(pages.address() as AddressInfo).port}/`;
const live = () => stage.connections.filter(({ destroyed }) => !destroyed).length;
const heard = (text: string) => stage.received.filter((message) => message.text === text).length;

beforeAll(async () => {
  const format = 'iife';
  pages = await serveScriptPage(
    { '/page.js': await bundle(PAGE, import.meta.url, { format }) },
    { '/worker.js': await bundle(WORKER, import.meta.url, { format }) },
  );
});

afterAll(() => pages?.close());

describe.each(['chromium', 'firefox'] as const)('the tabs of %s', (name) => {
  const path = findBrowser(name);
  const isMissing = path === undefined && process.env['CI'] !== 'true';
  describe.skipIf(isMissing)('share a socket', () => {
    const profile = new Profile();
    let browser: Handle;
    let tabs: Page[];

    const logOf = (tab: Page) =>
      tab.evaluate(() => (globalThis as unknown as { log: string[] }).log);
    const say = (tab: Page, text: string) => tab.evaluate(`socket.send(${JSON.stringify(text)})`);
    const openTab = async () => {
      const tab = await browser.newPage();
      await tab.goto(addressOf());
      return tab;
    };

    beforeAll(async () => {
      const args = name === 'chromium' ? [...CHROMIUM_ARGUMENTS] : [];
      const { environment: env } = profile;
      stage = await Stage.open();
      browser = await puppeteer.launch({
        browser: name === 'chromium' ? 'chrome' : name,
        executablePath: path ?? '',
        args,
        env,
      });
      tabs = [await openTab(), await openTab(), await openTab()];
    });

    afterAll(async () => {
      await browser?.close();
      await stage?.close();
      profile.remove();
    });

    it('that is one connection, to send on and to receive from', async () => {
      for (const tab of tabs) await expect.poll(() => logOf(tab), WAIT).toEqual(['open']);
      for (const [index, tab] of tabs.entries()) await say(tab, `from ${index}`);
      for (const tab of tabs) {
        await expect
          .poll(async () => (await logOf(tab)).toSorted(), WAIT)
          .toEqual(['echo from 0', 'echo from 1', 'echo from 2', 'open']);
      }
      expect(stage.connections).toHaveLength(1);
      expect(await tabs[0]?.evaluate('socket.ping()')).toBeTypeOf('number');
    });

    it('that reconnects for all after a silent cut', async () => {
      stage.proxy.cut();
      await say(tabs[1] as Page, 'after the cut');
      for (const tab of tabs) {
        const opened = async () => (await logOf(tab)).filter((entry) => entry === 'open').length;
        await expect.poll(opened, WAIT).toBe(2);
      }
    });

    it('and that goes on when a tab is closed', async () => {
      await tabs.shift()?.close();
      await say(tabs[0] as Page, 'after closing');
      await expect.poll(() => logOf(tabs[1] as Page), WAIT).toContain('echo after closing');
    });

    // Only Chromium can be told to crash one tab.
    if (name === 'chromium') {
      it('and that returns when the process of a tab has crashed', async () => {
        const victim = await openTab();
        await expect.poll(() => logOf(victim), WAIT).toEqual(['open']);
        const session = await victim.createCDPSession();
        void session.send('Page.crash').catch(() => {});
        const other = tabs[0] as Page;
        await expect
          .poll(async () => {
            await say(other, 'after the crash');
            return logOf(tabs[1] as Page);
          }, WAIT)
          .toContain('echo after the crash');
        expect(heard('after the crash')).toBeGreaterThan(0);
        await victim.close().catch(() => {});
      });
    }

    it('and that returns with a page from the back-forward cache', async () => {
      const [tab, other] = tabs as [Page, Page];
      await tab.goto('about:blank');
      await say(other, 'meanwhile');
      await expect.poll(() => logOf(other), WAIT).toContain('echo meanwhile');
      await tab.goBack();
      await expect.poll(async () => (await logOf(tab)).at(-1), WAIT).toBe('open');
    });

    it('and that ends with the last tab', async () => {
      expect(live()).toBe(1);
      for (const tab of tabs) await tab.close();
      await expect.poll(live, WAIT).toBe(0);
    });
  });
});

describe('the last page of Chromium in the back-forward cache', () => {
  it('keeps no connection longer than `maxUnresponsive`, and connects anew when it is shown', async () => {
    const [pingInterval, pingTimeout, maxUnresponsive] = [1_000, 2_000 * MS, 1_000];
    stage = await Stage.open({ pingInterval, pingTimeout, maxUnresponsive });
    const browser = await puppeteer.launch({
      executablePath: process.env['CHROMIUM_PATH'] || 'chromium',
      args: [...CHROMIUM_ARGUMENTS],
    });
    try {
      const tab = await browser.newPage();
      const log = () => tab.evaluate('log.join()');
      await tab.goto(addressOf());
      await expect.poll(log, WAIT).toBe('open');
      await tab.goto(elsewhere());
      await expect.poll(live, WAIT).toBe(0); // closed by the worker, unless it was frozen before
      await tab.goBack();
      await expect.poll(log, WAIT).toBe('open,close,open'); // it was kept, and not loaded again
      await expect.poll(live, WAIT).toBe(1);
      await tab.close();
      await expect.poll(live, WAIT).toBe(0);
    } finally {
      await browser.close();
      await stage.close();
    }
  });
});

describe('the how-to page', () => {
  it('shows code that runs', async () => {
    stage = await Stage.open();
    const [opener = '', worker = '', page = ''] = [...readFileSync(HOW_TO, 'utf8').matchAll(BLOCK)]
      .map(([, code = '']) => code.replace('wss://example.com/live', stage.url))
      .map((code) => code.replace('export const', 'const').replace(/.*open-live.*\n/, ''));
    const [live, main] = await Promise.all(
      [worker, page].map((code) => bundle(`${opener}\n${code}`, import.meta.url)),
    );
    const server = await serveScriptPage(
      {},
      { '/main.js': main ?? '', '/live.worker.ts': live ?? '' },
    );
    const browser = await launchBrowser('chromium');
    try {
      await browser.open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await browser.evaluate(`import('/main.js')`);
      await stage.hears('hello', 10_000 * MS);
    } finally {
      await browser.close();
      server.close();
      await stage.close();
    }
  });
});

describe.skipIf(findBrowser('webkit') === undefined && process.env['CI'] !== 'true')(
  'the iframes of WebKit',
  () => {
    it('share a socket, and leave nothing', async () => {
      stage = await Stage.open();
      const browser = await launchBrowser('webkit');
      try {
        const { port } = pages.address() as AddressInfo;
        await browser.open(`http://127.0.0.1:${port}/`);
        await browser.evaluate(`(() => { for (let n = 0; n < 2; n += 1) {
          const frame = document.createElement('iframe');
          frame.src = ${JSON.stringify(addressOf())};
          document.body.append(frame);
        } })()`);
        const logs = () =>
          browser.evaluate<string[][]>('Array.from(frames, ({ log }) => log ?? [])');
        await expect.poll(logs, WAIT).toEqual([['open'], ['open']]);
        await browser.evaluate(`frames[0].socket.send('hello')`);
        await expect.poll(logs, WAIT).toEqual([
          ['open', 'echo hello'],
          ['open', 'echo hello'],
        ]);
        expect(stage.connections).toHaveLength(1);
        await browser.evaluate(`document.querySelector('iframe').remove()`);
        await browser.evaluate(`frames[0].socket.send('alone')`);
        await expect.poll(logs, WAIT).toEqual([['open', 'echo hello', 'echo alone']]);
        await browser.evaluate(`document.querySelector('iframe').remove()`);
        await expect.poll(live, WAIT).toBe(0);
      } finally {
        await browser.close();
        await stage.close();
      }
    });
  },
);
