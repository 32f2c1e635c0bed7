// Two hundred connections come and go in a page, and its heap holds nothing more of ours than before:
// nor its timers, its listeners, its workers. In a real Chromium.
import { readFileSync } from 'node:fs';
import type { CDPSession, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Census, censusOf, grown } from './heap-census.ts';
import { LifeStage, until, type Visit } from './life-stage.ts';

const CYCLES = 200;
const FEW = 10; // what only some of them leave is found too
/** What hears of a page's life: whoever listens to these is there as long as the page. */
const TARGETS = ['window', 'document', 'navigator.connection'];

/** Counts the timers that wait. Before the client has called any. */
const CODE = `
const timers = new Set();
const { setTimeout: set, clearTimeout: clear } = globalThis;
globalThis.setTimeout = (callback, delay, ...args) => {
  const timer = set(() => {
    timers.delete(timer);
    callback(...args);
  }, delay);
  timers.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  timers.delete(timer);
  clear(timer);
};
const means = { ...wirebeat, WebSocket, url };
const kept = [];
let peak = 0;
const cycles = async (count, keep = () => {}) => {
  const { runCycles } = await import('/cycles.js');
  await runCycles(count, means, (objects) => {
    peak = Math.max(peak, timers.size);
    keep(objects);
  });
};
`;

/** How many listeners each of {@link TARGETS} has, by what they listen to. */
async function listenersOf(cdp: CDPSession): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const expression of TARGETS) {
    const { result } = await cdp.send('Runtime.evaluate', { expression });
    const { listeners } = await cdp.send('DOMDebugger.getEventListeners', {
      objectId: result.objectId as string,
    });
    all[expression] = listeners.map(({ type }) => type).sort();
  }
  return all;
}

async function takeCensus(cdp: CDPSession): Promise<Census> {
  const chunks: string[] = [];
  const listen = ({ chunk }: { chunk: string }) => void chunks.push(chunk);
  cdp.on('HeapProfiler.addHeapSnapshotChunk', listen);
  await cdp.send('HeapProfiler.collectGarbage');
  await cdp.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  cdp.off('HeapProfiler.addHeapSnapshotChunk', listen);
  return censusOf(chunks.join(''));
}

interface Left {
  readonly census: Census;
  readonly listeners: Record<string, string[]>;
  readonly timers: number;
  readonly workers: number;
}

/** What is left after a batch of cycles. */
async function leftBy({ page, cdp, heard }: Visit, call: string): Promise<Left> {
  await page.evaluate(call);
  await until(() => heard.every((messages) => messages.at(-1)?.startsWith('close')));
  await until(() => page.workers().length === 0);
  return {
    census: await takeCensus(cdp),
    listeners: await listenersOf(cdp),
    timers: (await page.evaluate('timers.size')) as number,
    workers: page.workers().length,
  };
}

/** Counts the workers that a page starts. */
function countWorkers(page: Page): () => number {
  let started = 0;
  page.on('workercreated', () => {
    started += 1;
  });
  return () => started;
}

let stage: LifeStage;

beforeAll(async () => {
  stage = await LifeStage.launch();
  stage.files.set('/cycles.js', readFileSync(new URL('cycles.js', import.meta.url), 'utf8'));
});
afterAll(() => stage?.close());

describe('two hundred connections of a page', () => {
  it('leave neither objects nor timers, listeners and workers; what keeps them is seen', async (context) => {
    const visit = await stage.visit(context, { code: CODE });
    const workers = countWorkers(visit.page);
    const first = await leftBy(visit, `cycles(${CYCLES})`);
    const second = await leftBy(visit, `cycles(${CYCLES})`);
    expect(grown(first.census, second.census, FEW)).toEqual([]);
    expect(second).toMatchObject({ listeners: first.listeners, timers: 0, workers: 0 });
    expect(visit.heard).toHaveLength(2 * CYCLES);
    expect(workers()).toBeGreaterThan(0); // not every short life of one is told of
    expect(await visit.page.evaluate('peak')).toBeGreaterThan(0);
    // The control.
    const last = await leftBy(visit, `cycles(${CYCLES}, (objects) => kept.push(objects))`);
    const isOfWebSocket = expect.stringMatching(/^(object|native) WebSocket$/);
    expect(grown(second.census, last.census, CYCLES / 2)).toContainEqual(isOfWebSocket);
  });
});
