// A hundred sockets at a time in a real Chromium that slows pages down as it does for its users: what
// befalls the page is never taken for the death of its peer, and a peer that is gone is found all the
// same. Takes four minutes, all at once; see `.ci/run`. Options are the defaults, but for a second
// hundred where a stall would be too short to tempt these.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import { MS } from '../allowance.ts';
import { type Fact, LifeStage, type Visit } from '../life-stage.ts';
import type { Account, CrowdFact, Span } from './account.ts';
import { Crowd, type Group, HURRIED, PATIENT, planOf } from './crowd.ts';
import { FarEnd } from './far-end.ts';
import { renderersOf, stop, treeOf } from './processes.ts';

const ROUND_TRIP = 800; // so that at most moments some of those in a hurry wait for a pong
const STEADY = 5_000; // until they have gone on to pings of their own time
const STALL = 10_000;
const FROZEN = 30_000;
const UNDER_WAY = 300; // for what the far end has sent already
const HIDDEN = 180_000;
const GRACE = 10; // s: Chromium slows a hidden page down after a minute, or five; here after so many
const ONSET = (GRACE + 4) * 1_000;
const VISIBLE = 30_000; // before it is hidden
const SLOW = 16_000; // 80 % of the default pingTimeout
const SLOWLY = 70_000; // so that most meet it more than once: a ping in 25 s, 16 s for its pong
const CONNECT_ALL = 60_000; // for sockets that come back one after the other, on a busy machine
const CONNECT_TIMEOUT = 10_000; // the default
/** They come back one after the other: those that wait for their turn shall not lose patience. */
const FREEZING = HURRIED.map((group) =>
  group.way === 'steady' ? { ...group, reconnect: { connectTimeout: CONNECT_ALL } } : group,
);
/** Why a peer that is gone is not reached again. */
const REFUSED = new Set(['connect-timeout']);
const CONTROL = "setInterval(note, 1_000, 'control')";

let stage: LifeStage;

const launch = async (...args: string[]) => {
  const launched = await LifeStage.launch(...args);
  const script = readFileSync(new URL('crowd.js', import.meta.url), 'utf8');
  launched.files.set('/crowd.js', script);
  return launched;
};

beforeAll(async () => {
  stage = await launch(`--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/${GRACE}`);
});
afterAll(() => stage?.close());

/** A page of many sockets in their steady state, and the far end. */
async function start(
  context: TestContext,
  groups: readonly Group[],
  { on = stage, code = '' } = {},
): Promise<{ end: FarEnd; visit: Visit; crowd: Crowd }> {
  const end = await FarEnd.open();
  context.onTestFinished(() => end.close());
  const gather = `globalThis.ask = gather({ ...wirebeat, WebSocket, ...${planOf(groups, end)},
    tell: (fact) => note(fact.name, fact) })`;
  const visit = await on.visit(context, {
    code: `${code}; import('/crowd.js').then(({ gather }) => ${gather});`,
  });
  const facts = async () => {
    const all = await visit.facts();
    return all.flatMap(([, , details]) => (Object(details).group ? [details as CrowdFact] : []));
  };
  const crowd = new Crowd(groups, facts, () => visit.page.evaluate('ask()'));
  await crowd.opened();
  end.delay = ROUND_TRIP; // only now: Chromium opens the sockets to one address one after the other
  await sleep(STEADY);
  return { end, visit, crowd };
}

/** What holds after a stall of 10 s, whatever it was. */
function expectPatience(account: Account, end: FarEnd, groups: readonly Group[], span: Span): void {
  account.expectLiving(groups, span);
  expect(end.deaths).toEqual([]);
  account.expectStalled(groups, span);
  account.expectFound(groups, span);
}

/** Runs in the page. */
const block = (duration: number): Span => {
  const from = Date.now();
  while (Date.now() < from + duration);
  return { from, to: Date.now() };
};

/** The timers of the page were slowed down to one in a minute, or nothing was tested. */
function expectSlowed(facts: readonly Fact[]): void {
  const hidden = facts.find(([, what]) => what === 'hidden')?.[0] ?? 0;
  const ticks = facts.flatMap(([at, what]) => (what === 'control' ? [at] : []));
  expect(ticks.filter((at) => at < hidden).length).toBeGreaterThan(VISIBLE / 1_000 - 5);
  const later = ticks.filter((at) => at > hidden + ONSET && at < hidden + HIDDEN);
  expect(later.length).toBeGreaterThanOrEqual(2);
  const gaps = later.slice(1).map((at, index) => at - (later[index] ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThan(55_000);
}

/** Stops the renderers of a browser, or all its processes, while the one peer goes away. */
async function stopBrowser(what: string, context: TestContext): Promise<void> {
  const own = await launch();
  context.onTestFinished(() => own.close());
  const { end, visit, crowd } = await start(context, HURRIED, { on: own });
  const browser = visit.page.browser();
  const root = browser.process()?.pid ?? 0;
  const ids = what === 'renderers' ? await renderersOf(browser) : treeOf(root);
  expect(ids).not.toEqual([]);
  const stopped = stop(ids, STALL, context);
  end.vanish();
  const span = await stopped;
  expectPatience(await crowd.judged(span.to), end, HURRIED, span);
}

/** Freezes a page while the one peer goes away. */
async function freeze({ end, visit }: { end: FarEnd; visit: Visit }): Promise<Span> {
  end.vanish();
  await sleep(UNDER_WAY * MS); // else a pong could wait in the frozen page, and come after its end
  const from = Date.now();
  await visit.freeze(true);
  await sleep(FROZEN);
  end.delay = 0; // they come back one after the other, each by more than one round trip
  const to = Date.now();
  await visit.freeze(false);
  return { from, to };
}

/** What Chromium does to the sockets of a frozen page: none of them is judged, each is lost once. */
function expectLost(account: Account, group: Group, { from, to }: Span): void {
  const { name, way, count } = group;
  expect(account.of('dead', name)).toEqual([]);
  for (let index = 0; index < count; index += 1) {
    const since = (what: CrowdFact['name']) =>
      account.of(what, name, index).filter(({ at }) => at > from);
    const codes = since('close').map(({ code }) => code);
    expect(codes, `${name} ${index}`).toEqual([1006]);
    if (index % 2 === 0) continue; // a native one does not come back
    const [first, ...others] = since('retry').map(({ reason }) => reason);
    expect(first).toBe('abnormal');
    expect(since('open')).toHaveLength(way === 'steady' ? 1 : 0);
    if (way === 'gone') expect(new Set(others)).toEqual(REFUSED);
    else expect(others).toEqual([]);
    expect(since('pong').some(({ at }) => at > to)).toBe(way === 'steady');
  }
}

describe.concurrent('a page of a hundred sockets', () => {
  vi.setConfig({ maxConcurrency: 20 }); // they wait more than they work
  it('that was blocked for 10 s takes no living peer for dead, and finds those gone', async (context) => {
    const { end, visit, crowd } = await start(context, HURRIED);
    const blocking = visit.page.evaluate(block, STALL);
    end.vanish();
    const span = await blocking;
    expectPatience(await crowd.judged(span.to), end, HURRIED, span);
  });

  it.for([['renderers'], ['whole browser']])(
    'whose %s stopped for 10 s takes no living peer for dead, and finds those gone',
    ([what = ''], context) => stopBrowser(what, context),
  );

  it('that was frozen for 30 s loses each socket once, comes back once, and judges nobody', async (context) => {
    const { end, visit, crowd } = await start(context, FREEZING);
    const span = await freeze({ end, visit });
    await crowd.until(
      (account) =>
        FREEZING.every(({ name, way, count }) => {
          const sought = way === 'steady' ? 'pong' : 'retry';
          return account.socketsWith(sought, name, span.to).size === Math.floor(count / 2);
        }),
      CONNECT_ALL * MS,
    );
    await sleep(CONNECT_TIMEOUT + 2_000 * MS); // what else there is comes by then
    const account = await crowd.account();
    for (const group of FREEZING) expectLost(account, group, span);
    expect(end.deaths).toEqual([]);
  });

  it('that keeps its sockets while it is frozen for 30 s, as in older versions, takes no living peer for dead, and finds those gone', async (context) => {
    const older = await launch('--disable-features=DisconnectWebSocketOnBFCache');
    context.onTestFinished(() => older.close());
    const { end, visit, crowd } = await start(context, HURRIED, { on: older });
    const span = await freeze({ end, visit });
    const account = await crowd.judged(span.to);
    account.expectLiving(HURRIED, span);
    expect(end.deaths).toEqual([]);
    account.expectFound(HURRIED, span, FROZEN);
  });

  it('that is hidden for 3 minutes and slowed down takes no living peer for dead, and finds those gone', async (context) => {
    const { end, visit, crowd } = await start(context, PATIENT, { code: CONTROL });
    await sleep(VISIBLE);
    const from = Date.now();
    await visit.hide();
    await sleep(HIDDEN / 3); // slowed down for long
    const goneAt = Date.now();
    end.vanish();
    await sleep(from + HIDDEN - goneAt);
    const to = Date.now();
    const account = await crowd.ask();
    expectSlowed(await visit.facts());
    account.expectLiving(PATIENT, { from, to });
    expect(end.deaths).toEqual([]);
    account.expectFound(PATIENT, { from, to: goneAt });
    for (const { at } of account.of('dead', 'gone')) expect(at).toBeLessThan(to); // while hidden
  });

  it('whose server answers after 80 % of pingTimeout takes it for living, and finds those gone', async (context) => {
    const { end, visit, crowd } = await start(context, PATIENT);
    const from = Date.now();
    end.delay = SLOW;
    await visit.page.evaluate('ask()');
    await sleep(SLOWLY);
    end.vanish();
    const span = { from, to: Date.now() };
    const account = await crowd.judged(span.to);
    account.expectLiving(PATIENT, span);
    expect(end.deaths).toEqual([]);
    const late = account.of('pong', 'steady').filter(({ latency = 0 }) => latency >= SLOW);
    expect(new Set(late.map(({ index }) => index)).size).toBe(100);
    account.expectFound(PATIENT, span);
  });
});
