import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'puppeteer-core';
import type { TestContext } from 'vitest';
import type { Span } from './account.ts';

/** A process and all that it started, and those have started. */
export function treeOf(id: number): number[] {
  const children = readFileSync(`/proc/${id}/task/${id}/children`, 'utf8');
  const ids = children.split(' ').filter(Boolean).map(Number);
  return [id, ...ids.flatMap(treeOf)];
}

/** The processes in which pages of a browser run. */
export async function renderersOf(browser: Browser): Promise<number[]> {
  const session = await browser.target().createCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

/** Stops processes for a time; they go on also where the test fails meanwhile. */
export async function stop(
  ids: readonly number[],
  duration: number,
  { onTestFinished }: TestContext,
): Promise<Span> {
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const id of ids) process.kill(id, name);
  };
  let isStopped = true;
  onTestFinished(() => {
    if (isStopped) signal('SIGCONT');
  });
  const from = Date.now();
  signal('SIGSTOP');
  await sleep(duration);
  signal('SIGCONT');
  isStopped = false;
  return { from, to: Date.now() };
}
