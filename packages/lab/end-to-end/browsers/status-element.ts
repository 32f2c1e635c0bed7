import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Browser,
  type BrowserName,
  findBrowser,
  launchBrowser,
} from '../../browsers/browser.ts';
import { bundle } from '../../bundle.mjs';
import { MS } from '../allowance.ts';
import { serveScriptPage } from './script-page.ts';
import { Stage } from './stage.ts';

const SOURCE = `
import { ReconnectingWebSocket } from '@wirebeat/client';
import { defineStatusElement } from '@wirebeat/client/status-element';
globalThis.built = { ReconnectingWebSocket, defineStatusElement };`;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PAGE = new URL('status-page.js', import.meta.url);
// One connection at a time: on a busy machine, a late pong would lead to a second one.
const OPTIONS = {
  pingInterval: 1_000,
  makeBeforeBreak: false,
  backoff: { minDelay: 200, maxDelay: 400 },
};

/** What the page says of its element. */
interface Look {
  readonly shown: string;
  readonly word: string;
  readonly latency: string;
  readonly banner: string | null;
  readonly countdown: string;
  readonly canRetry: boolean;
  readonly spoken: string;
  readonly events: readonly string[];
  readonly chart: string;
  readonly isChartShown: boolean;
  readonly seen: readonly string[];
  readonly dotIsLeft: boolean;
}

/** What `<wirebeat-status>` promises, in a real browser. */
export function statusElement(name: BrowserName, runtime: string): void {
  const isMissing = findBrowser(name) === undefined && process.env['CI'] !== 'true';
  describe.skipIf(isMissing)(`<wirebeat-status> in ${runtime}`, () => {
    let browser: Browser;
    let pages: Server;

    beforeAll(async () => {
      const scripts = {
        '/status.js': await bundle(SOURCE, import.meta.url, { format: 'iife' }),
        '/axe.js': readFileSync(AXE, 'utf8'),
        '/page.js': readFileSync(PAGE, 'utf8'),
      };
      [browser, pages] = await Promise.all([launchBrowser(name), serveScriptPage(scripts)]);
      await browser.open(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    });

    afterAll(async () => {
      await browser?.close();
      pages?.close();
    });

    const call = <T>(name: string, ...args: unknown[]): Promise<T> =>
      browser.evaluate(`${name}(${JSON.stringify(args).slice(1, -1)})`);
    const look = () => call<Look>('look');
    const until = (expected: object) =>
      expect.poll(look, { timeout: 20_000 * MS, interval: 50 }).toMatchObject(expected);
    const expectAccessible = async () => {
      const { passes, violations } = await call<{ passes: number; violations: string[] }>('check');
      expect(violations).toEqual([]);
      expect(passes).toBeGreaterThan(3); // the rules were run
    };

    it.each(['light', 'dark'])('shows a connection, in the %s theme', async (theme) => {
      const stage = await Stage.open();
      await call('make', stage.url, { attributes: { theme }, options: OPTIONS });
      await until({ shown: 'good', word: 'Connected', latency: expect.stringMatching(/^\d+ ms$/) });
      await expectAccessible();
      await call('openDetails');
      await until({ isChartShown: true, chart: expect.stringMatching(/^Latency of the last \d+/) });
      expect((await look()).events.at(-1)).toBe('Connected');
      await expectAccessible();
      await stage.close();
    });

    it('shows a lasting loss with its cause, and an end of it', async () => {
      const stage = await Stage.open();
      const attributes = { 'lost-after': '500', banner: 'inline' };
      const backoff = { minDelay: 30_000, maxDelay: 60_000 };
      await call('make', stage.url, { attributes, options: { ...OPTIONS, backoff } });
      await until({ shown: 'good', banner: null });
      await stage.leave();
      await until({
        shown: 'lost',
        banner: 'Offline. The connection was interrupted.',
        countdown: expect.stringMatching(/^Next attempt in \d+ s\.$/),
        canRetry: true,
        spoken: 'Offline. The connection was interrupted.',
      });
      await expectAccessible();
      const before = await look();
      await until({ countdown: expect.not.stringContaining(before.countdown) });
      await stage.comeBack();
      await call('press', 'retry');
      await until({ shown: 'good', banner: null, spoken: 'Connected' });
      await stage.close();
    });

    it('says nothing of a loss that is over in time', async () => {
      const stage = await Stage.open();
      const attributes = { 'lost-after': String(60_000) };
      await call('make', stage.url, { attributes, options: OPTIONS });
      await until({ shown: 'good' });
      for (const connection of stage.connections) connection.destroy();
      await expect
        .poll(() => stage.connections.length, { timeout: 20_000 * MS })
        .toBeGreaterThan(1);
      await until({ shown: 'good', events: expect.arrayContaining(['Connected']) });
      expect((await look()).seen).not.toContain('lost');
      await stage.close();
    });

    it('is mirrored from right to left', async () => {
      const stage = await Stage.open();
      for (const direction of ['ltr', 'rtl']) {
        await call('make', stage.url, { direction, options: OPTIONS });
        await until({ shown: 'good', dotIsLeft: direction === 'ltr' });
        await call('openDetails');
        await expectAccessible();
      }
      await stage.close();
    });

    it('says whether the report was copied', async () => {
      const stage = await Stage.open();
      await call('make', stage.url, { options: OPTIONS });
      await until({ shown: 'good' });
      await call('openDetails');
      await call('press', 'copy');
      await until({
        spoken: expect.stringMatching(/^(Copied\.|The browser did not allow copying\.)$/),
      });
      await stage.close();
    });
  });
}
