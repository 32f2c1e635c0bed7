// The timers of a worker keep time where those of the page do not, and a page whose policy forbids
// the worker still has its timers. In a real Chromium that slows hidden pages down.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MS } from './allowance.ts';
import { type Fact, LifeStage, type Visit } from './life-stage.ts';

/** Chromium slows a hidden page down after a minute, or five; here after so many seconds. */
const GRACE = 2;
/** A hidden page may run its timers each second, and slowed down each minute: so long is neither. */
const QUIET = 8_000;
/** Until it was quiet for so long: it begins 2.5 s after the grace, as measured, and a wake-up may follow. */
const HIDDEN = 40_000;
const STRICT = "default-src 'none'; script-src 'nonce-n'; connect-src ws:";
const SCRIPT = '/timer-worker.js';

const VIOLATIONS = `
addEventListener('securitypolicyviolation', ({ blockedURI }) => note('violation', blockedURI));
`;
/** Each second from two sources, and whatever the policy complains of. */
const TICKS = (options: string) => `
${VIOLATIONS}
const scheduler = new wirebeat.WorkerScheduler(${options});
const tick = () => {
  note('tick', scheduler.usesWorker);
  scheduler.at(scheduler.now() + 1_000, tick);
};
tick();
setInterval(note, 1_000, 'control');
`;

/** The control: a bare worker that is asked for a second again and again. */
const BARE_WORKER = `
const text = 'onmessage = () => setTimeout(postMessage, 1_000, 0)';
const worker = new Worker(URL.createObjectURL(new Blob([text])));
worker.onmessage = () => {
  note('bare');
  worker.postMessage(0);
};
worker.postMessage(0);
`;

interface Span {
  readonly from: number;
  readonly to: number;
}

const lengthOf = ({ from, to }: Span) => to - from;
const count = (facts: readonly Fact[], what: string) =>
  facts.filter((fact) => fact[1] === what).length;
const of = (facts: readonly Fact[], what: string) =>
  facts.filter((fact) => fact[1] === what).map(([, , details]) => details);

/** The longest time without any `what` since an instant. */
function longestQuiet(facts: readonly Fact[], what: string, since: number, now: number): Span {
  const ats = facts.flatMap((fact) => (fact[1] === what && fact[0] > since ? [fact[0]] : []));
  const spans = [...ats, now].map((to, index) => ({ from: ats[index - 1] ?? since, to }));
  return spans.reduce((best, span) => (lengthOf(span) > lengthOf(best) ? span : best));
}

function longestGap(facts: readonly Fact[], what: string): number {
  const ats = facts.flatMap((fact) => (fact[1] === what ? [fact[0]] : []));
  return Math.max(...ats.slice(1).map((at, index) => at - (ats[index] ?? 0)));
}

/** Hidden until the timers of the page are seen to be slowed down: that time, in which it was quiet. */
async function slowedDown({ page, hide, facts }: Visit): Promise<Span> {
  await hide();
  const end = performance.now() + HIDDEN * MS;
  for (;;) {
    const [told, now] = [await facts(), (await page.evaluate('performance.now()')) as number];
    const hiddenAt = told.find(([, what]) => what === 'hidden')?.[0] ?? now;
    const quiet = longestQuiet(told, 'control', hiddenAt, now);
    if (lengthOf(quiet) > QUIET || performance.now() > end) return quiet;
    await sleep(500);
  }
}

let stage: LifeStage;

beforeAll(async () => {
  const grace = `--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/${GRACE}`;
  stage = await LifeStage.launch(grace);
  // What the docs tell to serve.
  const page = readFileSync(
    new URL('../../../docs/topics/page-lifecycle.md', import.meta.url),
    'utf8',
  );
  const [, script = ''] = /```js worker\n([\s\S]*?)```/.exec(page) ?? [];
  stage.files.set(SCRIPT, script);
});
afterAll(() => stage?.close());

describe('WorkerScheduler', () => {
  it('keeps time in a hidden page whose own timers are slowed down', async (context) => {
    const visit = await stage.visit(context, { code: TICKS('') + BARE_WORKER });
    await expect.poll(() => visit.page.workers().length).toBe(2);
    const quiet = await slowedDown(visit);
    expect(lengthOf(quiet)).toBeGreaterThan(QUIET); // else nothing was slowed down
    const told = await visit.facts();
    const meanwhile = told.filter(([at]) => at > quiet.from && at < quiet.to);
    const bare = count(meanwhile, 'bare');
    expect(bare).toBeGreaterThanOrEqual(3);
    expect(count(meanwhile, 'tick')).toBeGreaterThanOrEqual(bare - 2);
    expect(longestGap(told, 'tick')).toBeLessThan(longestGap(told, 'bare') + 500 * MS);
  });

  describe.concurrent('in a page that is seen', () => {
    it('ends its worker when it is closed', async (context) => {
      const { page } = await stage.visit(context, { code: TICKS('') });
      await sleep(1_500 * MS);
      expect(page.workers()).toHaveLength(1);
      await page.evaluate('scheduler.close()');
      await sleep(500 * MS);
      expect(page.workers()).toHaveLength(0);
    });

    it('falls back to the timers of the page under a policy without blobs, and loses none', async (context) => {
      const { page, facts } = await stage.visit(context, { code: TICKS(''), policy: STRICT });
      await sleep(3_500 * MS);
      const told = await facts();
      expect(of(told, 'violation')).toEqual(['blob']); // which the docs say
      expect(page.workers()).toHaveLength(0);
      expect(new Set(of(told, 'tick'))).toEqual(new Set([false]));
      expect(count(told, 'tick')).toBeGreaterThanOrEqual(3);
    });

    it('runs its worker from an address that the policy allows', async (context) => {
      const policy = `${STRICT}; worker-src 'self'`;
      const code = TICKS(`{ url: '${SCRIPT}' }`);
      const { page, facts } = await stage.visit(context, { code, policy });
      await sleep(2_500 * MS);
      const told = await facts();
      expect(of(told, 'violation')).toEqual([]);
      expect(page.workers().map((worker) => worker.url())).toEqual([stage.origin + SCRIPT]);
      expect(of(told, 'tick').at(-1)).toBe(true);
    });

    it('falls back where that address has no script', async (context) => {
      const policy = `${STRICT}; worker-src 'self'`;
      const { facts } = await stage.visit(context, { code: TICKS("{ url: '/none.js' }"), policy });
      await sleep(2_500 * MS);
      const told = await facts();
      expect(of(told, 'violation')).toEqual([]);
      expect(new Set(of(told, 'tick'))).toEqual(new Set([false]));
      expect(count(told, 'tick')).toBeGreaterThanOrEqual(2);
    });

    it('is reported for nothing by a page that does not use it', async (context) => {
      const code = `
        ${VIOLATIONS}
        const scheduler = new wirebeat.WorkerScheduler(); // made, and no timer set
        const heartbeat = wirebeat.attachHeartbeat(new WebSocket(url));
        heartbeat.on('pong', () => note('pong'));
      `;
      const { page, facts } = await stage.visit(context, { code, policy: STRICT });
      await sleep(1_500 * MS);
      const told = await facts();
      expect(of(told, 'violation')).toEqual([]);
      expect(page.workers()).toHaveLength(0);
      expect(count(told, 'pong')).toBe(1);
    });
  });
});
