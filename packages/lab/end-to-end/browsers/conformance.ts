import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import {
  type Browser,
  type BrowserName,
  findBrowser,
  launchBrowser,
} from '../../browsers/browser.ts';
import { type Hearing, hearingOf, readTable } from '../../runtimes/interception-table.mjs';
import { allowance, MS } from '../allowance.ts';
import { serveScriptPage } from './script-page.ts';
import { heard, Stage } from './stage.ts';

const OWNERS = ['page', 'worker', 'SharedWorker'] as const;
type Owner = (typeof OWNERS)[number];

/** What the page, its worker and its SharedWorker run. */
const OWNER = new URL('owner.js', import.meta.url);
const TIMING = { pingInterval: 1_000, pingTimeout: 1_000 };
const BOUND = 1_000 + 1_000 + 250 + 3 * 250;
const MIN_DELAY = 500; // of the backoff, by default: the first wait is no longer
const LIMIT = 15_000 * MS; // of a wait for what must happen

interface Fact {
  readonly name: string;
  readonly at: number;
  readonly [detail: string]: unknown;
}

interface Look {
  readonly facts: readonly Fact[];
  readonly detectionBound: number;
  readonly status: string;
  readonly readyState: number;
  readonly now: number;
}

/** How a socket looks before, under and after a heartbeat. */
interface Traces {
  readonly before: unknown;
  readonly during: unknown;
  readonly left: unknown;
  readonly listeners: unknown;
}

function stallsIn(facts: readonly Fact[]): number[] {
  return facts.filter(({ name }) => name === 'stall').map(({ lateBy }) => lateBy as number);
}

/** What `attachHeartbeat` and `ReconnectingWebSocket` promise, in a real browser. */
export function conformance(name: BrowserName, runtime: string): void {
  const isMissing = findBrowser(name) === undefined && process.env['CI'] !== 'true';
  describe.skipIf(isMissing)(`in ${runtime}`, () => {
    let browser: Browser;
    let pages: Server;

    beforeAll(async () => {
      const scripts = { '/owner.js': readFileSync(OWNER, 'utf8') };
      [browser, pages] = await Promise.all([launchBrowser(name), serveScriptPage(scripts)]);
      await browser.open(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
    });

    afterAll(async () => {
      await browser?.close();
      pages?.close();
    });

    const run = <T>(owner: Owner, ...args: unknown[]): Promise<T> =>
      browser.evaluate(`run(${JSON.stringify([owner, ...args]).slice(1, -1)})`);

    const open = async (
      { onTestFinished }: TestContext,
      ...options: Parameters<typeof Stage.open>
    ): Promise<Stage> => {
      const stage = await Stage.open(...options);
      onTestFinished(() => stage.close());
      return stage;
    };

    /** Waits for the n-th fact of a name since an instant. */
    const until = async (owner: Owner, key: string, name: string, since = 0, n = 1) => {
      const end = performance.now() + LIMIT;
      for (;;) {
        const look = await run<Look>(owner, 'look', key);
        const fact = look.facts.filter((fact) => fact.name === name && fact.at >= since)[n - 1];
        if (fact !== undefined) return { ...look, fact };
        if (performance.now() > end) {
          throw new Error(`no ${name} in ${JSON.stringify(look.facts)}`);
        }
        await sleep(50);
      }
    };

    const hear = (owner: Owner, { url }: Stage, binaryType: string, handlerComes: string) =>
      run<Record<string, string[]>>(owner, 'hear', url, binaryType, handlerComes);

    describe.concurrent('a socket', () => {
      vi.setConfig({ maxConcurrency: 20 }); // they wait for timeouts more than they work
      it.for(OWNERS)(
        'of the %s keeps beats from the application, as the table says',
        async (owner, context) => {
          const stage = await open(context);
          const hearings: Hearing[] = [];
          for (const handlerComes of ['before', 'after']) {
            const all = await hear(owner, stage, 'arraybuffer', handlerComes);
            hearings.push(hearingOf(all, heard('arraybuffer')));
          }
          const row = readTable().get(runtime);
          expect(hearings).toEqual([row, row]);
        },
      );

      it.for(OWNERS)(
        'of the %s hands on all else, in order and untouched',
        async (owner, context) => {
          const stage = await open(context);
          for (const binaryType of ['blob', 'arraybuffer']) {
            const all = await hear(owner, stage, binaryType, 'before');
            expect(all['late']).toEqual(heard(binaryType));
            expect(all['handler']).toEqual(heard(binaryType));
            for (const early of [all['early'], all['earlyCapture']]) {
              expect(early).toEqual(expect.arrayContaining(heard(binaryType)));
            }
          }
        },
      );

      it.for(OWNERS)(
        'of the %s sends what it is given, in order and untouched',
        async (owner, context) => {
          const stage = await open(context);
          await run(owner, 'sendAll', stage.url);
          await stage.hears('last');
          expect(stage.received).toEqual([
            { text: 'text', isBinary: false },
            { text: '', isBinary: false },
            { text: '\u0005wbx', isBinary: false },
            { text: 'blob', isBinary: true },
            { text: '\u0001\u0002\u0003\u0004', isBinary: true },
            { text: '\u0002\u0003\u0004', isBinary: true },
            { text: 'last', isBinary: false },
          ]);
        },
      );

      it.for(OWNERS)(
        'of the %s is as it was when the heartbeat is detached',
        async (owner, context) => {
          // Its first protocol Ping comes at any time, and the Pong is the browser's, not the page's.
          const stage = await open(context, { pingInterval: false });
          const { before, during, left, listeners, ...rest } = await run<Traces>(
            owner,
            'leave',
            stage.url,
          );
          expect(during).not.toEqual(before);
          expect(left).toEqual(before);
          expect(listeners).toEqual({ added: expect.toSatisfy((added) => added > 3), left: 0 });
          expect(rest).toEqual({ heard: ['\u0005wb'], status: 'idle', readyState: 1 });
          const bytes = stage.connections[0]?.bytesRead;
          await sleep(1_500); // longer than that heartbeat waited between two pings
          expect(stage.connections[0]?.bytesRead).toBe(bytes);
        },
      );

      it.for(OWNERS)(
        'of the %s is found dead within the bound when its flow is cut, and not before',
        async (owner, context) => {
          const [stage, control] = [await open(context), await open(context)];
          const key = `cut in ${owner}`;
          await run(owner, 'open', key, 'attached', stage.url, TIMING);
          await run(owner, 'open', `${key} not`, 'attached', control.url, TIMING);
          const { detectionBound } = await until(owner, key, 'pong', 0, 2);
          stage.proxy.cut();
          const { fact, facts } = await until(owner, key, 'dead');
          expect(detectionBound).toBe(BOUND);
          expect(fact['silentFor']).toBeGreaterThanOrEqual(TIMING.pingTimeout);
          expect(fact['silentFor']).toBeLessThanOrEqual(
            BOUND + allowance(stallsIn(facts), TIMING.pingTimeout),
          );
          const other = await run<Look>(owner, 'look', `${key} not`);
          expect(other).toMatchObject({ status: 'alive', readyState: 1 });
          expect(other.facts.filter(({ name }) => name === 'dead')).toEqual([]);
          await run(owner, 'close', `${key} not`);
        },
      );

      it.for(OWNERS)(
        'of the %s comes back after a cut, if it is one that reconnects',
        async (owner, context) => {
          const stage = await open(context);
          const key = `back in ${owner}`;
          await run(owner, 'open', key, 'reconnecting', stage.url, TIMING);
          await until(owner, key, 'pong', 0, 2);
          const { now: cutAt } = await run<Look>(owner, 'look', key);
          stage.proxy.cut();
          const { fact: opened } = await until(owner, key, 'open', cutAt);
          await run(owner, 'send', key, 'again');
          const { facts, fact } = await until(owner, key, 'message', opened.at);
          expect(fact['data']).toBe('echo again');
          expect(opened.at - cutAt).toBeLessThanOrEqual(
            BOUND + allowance(stallsIn(facts), TIMING.pingTimeout) + MIN_DELAY + 1_000 * MS,
          );
          const closes = facts.filter(({ name }) => name === 'close');
          expect(closes).toMatchObject([{ code: 3008 }]);
          expect(stage.connections).toHaveLength(2);
          await run(owner, 'close', key);
        },
      );

      it('comes back when a server that refused is there again, also where the browser dials late', async (context) => {
        const stage = await open(context);
        const options = { connectTimeout: 500, backoff: { maxDelay: 50, minDelay: 50 } };
        await run('page', 'open', 'refused', 'reconnecting', stage.url, options);
        await until('page', 'refused', 'pong');
        await stage.leave();
        const { facts, fact: last } = await until('page', 'refused', 'retry', 0, 10);
        await stage.comeBack();
        await until('page', 'refused', 'open', last.at);
        // Firefox holds back each further attempt longer: by itself, and whatever we do.
        const causes = facts.filter(({ name }) => name === 'retry').map(({ cause }) => cause);
        const reasons = new Set((causes as { reason: string }[]).map(({ reason }) => reason));
        if (name === 'firefox') expect(reasons).toContain('connect-timeout');
        await run('page', 'close', 'refused');
      });
    });

    // One after the other: while the page is offline, no socket can be opened.
    describe('a page that the browser reports as offline', () => {
      it.each(['attached', 'reconnecting'])(
        'asks at once, and keeps its socket: one %s',
        async (kind) => {
          const stage = await Stage.open();
          await run('page', 'open', kind, kind, stage.url);
          await until('page', kind, 'pong');
          const { at } = (await until('page', kind, 'open')).fact;
          for (const isOffline of [true, false]) {
            const { facts } = await run<Look>('page', 'look', kind);
            const last = facts.at(-1)?.at ?? at;
            await browser.goOffline(isOffline);
            const { fact: ping } = await until('page', kind, 'ping', last + 0.001);
            await until('page', kind, 'pong', ping.at);
          }
          await run('page', 'send', kind, 'still here');
          const { facts, status } = await until('page', kind, 'message');
          expect(status).toBe('alive');
          expect(facts.filter(({ name }) => ['dead', 'close', 'retry'].includes(name))).toEqual([]);
          expect(stage.connections).toHaveLength(1);
          await run('page', 'close', kind);
          await stage.close();
        },
      );

      it('finds a cut by it long before the next ping of the schedule', async (context) => {
        const stage = await open(context);
        const timing = { pingInterval: 60_000, pingTimeout: 1_000 };
        await run('page', 'open', 'hint', 'attached', stage.url, timing);
        await until('page', 'hint', 'pong');
        stage.proxy.cut();
        context.onTestFinished(() => browser.goOffline(false));
        await browser.goOffline(true);
        const { fact } = await until('page', 'hint', 'dead');
        expect(fact['silentFor']).toBeLessThan(10_000 * MS);
      });
    });
  });
}
