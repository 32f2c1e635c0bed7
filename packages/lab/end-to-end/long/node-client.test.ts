// A Node client of many sockets that is stopped for 10 s: it takes no living peer for dead, and finds
// those that are gone meanwhile. See `pages.browser.test.ts` for the same in a browser.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import type { CrowdFact } from './account.ts';
import { Crowd, type Group, HURRIED, planOf } from './crowd.ts';
import { FarEnd } from './far-end.ts';
import { stop } from './processes.ts';

const ROUND_TRIP = 800; // so that at most moments some of those in a hurry wait for a pong
const STEADY = 5_000; // until they have gone on to pings of their own time
const STALL = 10_000;

/** A client in a process of its own, in its steady state, and the far end. */
async function start(
  { onTestFinished }: TestContext,
  groups: readonly Group[],
): Promise<{ end: FarEnd; crowd: Crowd; id: number }> {
  const end = await FarEnd.open();
  const script = fileURLToPath(new URL('crowd-client.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, planOf(groups, end)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await end.close();
  });
  const facts: CrowdFact[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => facts.push(JSON.parse(line)));
  const ask = () => child.stdin.write('ask\n');
  const crowd = new Crowd(groups, async () => [...facts], ask);
  await crowd.opened();
  end.delay = ROUND_TRIP;
  await sleep(STEADY);
  return { end, crowd, id: child.pid as number };
}

describe('a Node client of a hundred sockets', () => {
  it('that was stopped for 10 s takes no living peer for dead, and finds those gone', async (context) => {
    const { end, crowd, id } = await start(context, HURRIED);
    const stopped = stop([id], STALL, context);
    end.vanish();
    const span = await stopped;
    const account = await crowd.judged(span.to);
    account.expectLiving(HURRIED, span);
    expect(end.deaths).toEqual([]);
    account.expectStalled(HURRIED, span);
    account.expectFound(HURRIED, span);
  });
});
