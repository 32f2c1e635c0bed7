// A page that is hidden, frozen or put into the back-forward cache, in a real Chromium: it tells the
// server, never takes its own absence for the server's death, and comes back at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MS } from './allowance.ts';
import { type Fact, LifeStage, until } from './life-stage.ts';

const FIRST = /^ENQ wb\.1;v=1$/;
/** A ping that says so, with an id or without. */
const says = (state: string) =>
  expect.stringMatching(new RegExp(`^ENQ wb(\\.\\w+)?;state=${state}$`));
const CLOSED = 'close 1001'; // as Chromium tells the server, when it runs the page again
const AWAY = 2_000;
/** The wait for the `close` of a socket that says OPEN; a hidden page's timers add a second. */
const SETTLED = 300 + 1_000 + 500;

const NATIVE = `
const socket = new WebSocket(url);
const heartbeat = wirebeat.attachHeartbeat(socket);
for (const name of ['ping', 'pong', 'suspect', 'dead', 'stall']) {
  heartbeat.on(name, () => note(name));
}
socket.addEventListener('close', ({ code }) => note('close', code));
document.addEventListener('resume', () => note('readyState', socket.readyState));
`;
const RECONNECTING = `
const socket = new wirebeat.ReconnectingWebSocket(url, [], { backoff: { maxDelay: 500 } });
for (const name of ['open', 'retry', 'ping', 'pong', 'suspect', 'dead', 'stall', 'giveup']) {
  socket.addEventListener(name, ({ detail }) => note(name, detail?.cause?.reason));
}
socket.addEventListener('close', ({ code }) => note('close', code));
`;

const count = (facts: readonly Fact[], what: string) =>
  facts.filter((fact) => fact[1] === what).length;
/** What happened from the first such fact on. */
const since = (facts: readonly Fact[], what: string) =>
  facts.slice(facts.findIndex((fact) => fact[1] === what));

const tells = (heard: readonly string[] | undefined, state: string) =>
  heard?.some((beat) => beat.endsWith(`state=${state}`)) === true;

let stage: LifeStage;

beforeAll(async () => {
  stage = await LifeStage.launch();
});
afterAll(() => stage?.close());

describe.concurrent('a page', () => {
  it('sends the server that it is hidden, and that it is visible again', async (context) => {
    const { heard, hide, show } = await stage.visit(context, { code: NATIVE });
    await until(() => heard[0]?.length === 1);
    await sleep(200 * MS); // the pong
    await hide();
    await until(() => heard[0]?.length === 2);
    await show();
    await until(() => tells(heard[0], 'visible'));
    // `focus` may come before `visibilitychange`, and bring a ping of its own.
    const states = heard[0]?.filter((beat) => beat.includes('state'));
    expect(states).toEqual([says('hidden'), says('visible')]);
    expect(heard).toHaveLength(1);
  });

  it('sends the server that it is frozen, sees the close of its socket, and pings nobody', async (context) => {
    const { heard, freeze, facts } = await stage.visit(context, { code: NATIVE });
    await until(() => heard[0]?.length === 1);
    await sleep(200 * MS);
    await freeze(true);
    await until(() => heard[0]?.length === 3);
    expect(heard).toEqual([[expect.stringMatching(FIRST), says('hidden'), says('frozen')]]);
    await sleep(AWAY);
    expect(heard[0]).toHaveLength(3); // nobody told the server that this socket is lost
    await freeze(false);
    await sleep(SETTLED * MS);
    const after = since(await facts(), 'resume');
    expect(after.find(([, what]) => what === 'readyState')?.[2]).toBe(1); // it lies
    expect(after.find(([, what]) => what === 'close')?.[2]).toBe(1006);
    for (const what of ['ping', 'suspect', 'dead', 'stall']) expect(count(after, what)).toBe(0);
    expect(heard[0]?.slice(3)).toEqual([CLOSED]);
  });

  it.for([
    ['is frozen', 'resume'],
    ['was in the back-forward cache', 'pageshow'],
  ])('that %s comes back with one reconnect and no verdict', async ([how, event], context) => {
    const { page, heard, freeze, facts } = await stage.visit(context, { code: RECONNECTING });
    await until(() => heard[0]?.length === 1);
    await sleep(200 * MS);
    if (event === 'resume') await freeze(true);
    else await page.goto(`${stage.origin}/away`);
    await until(() => tells(heard[0], 'frozen'));
    await sleep(AWAY);
    if (event === 'resume') await freeze(false);
    else await page.goBack();
    await until(() => heard[1]?.length === 1);
    await sleep(SETTLED * MS);
    const told = await facts();
    const away = event === 'resume' ? 'freeze' : 'pagehide';
    expect(count(told, away), how).toBe(1); // it is the same page
    expect(count(told, 'open')).toBe(2);
    expect(told.filter(([, what]) => what === 'close').map(([, , code]) => code)).toEqual([1006]);
    expect(told.filter(([, what]) => what === 'retry').map(([, , why]) => why)).toEqual([
      'abnormal',
    ]);
    for (const what of ['suspect', 'dead', 'stall', 'giveup']) expect(count(told, what)).toBe(0);
    expect(heard).toHaveLength(2);
    expect(heard[0]?.at(-1)).toBe(CLOSED);
  });
});

describe('a page whose sockets survive the freeze, as in older versions', () => {
  it('asks once it has settled, says what it is, and goes on', async (context) => {
    const older = await LifeStage.launch('--disable-features=DisconnectWebSocketOnBFCache');
    context.onTestFinished(() => older.close());
    const { heard, freeze, hide, show, facts } = await older.visit(context, { code: NATIVE });
    await until(() => heard[0]?.length === 1);
    await sleep(200 * MS);
    await freeze(true);
    await until(() => heard[0]?.length === 3);
    await sleep(AWAY);
    await freeze(false);
    await until(() => heard[0]?.length === 4);
    await hide(); // it is hidden, yet in front: only another tab makes it seen again
    await show();
    await until(() => tells(heard[0], 'visible'));
    await sleep(200 * MS);
    const states = ['hidden', 'frozen', 'hidden', 'visible'].map(says);
    expect(heard[0]?.filter((beat) => beat.includes('state'))).toEqual(states);
    expect(heard).toHaveLength(1);
    const told = await facts();
    const [[resumed] = [0], ...after] = since(told, 'resume');
    const [asked] = after.find(([, what]) => what === 'ping') ?? [0];
    expect(asked - resumed).toBeGreaterThanOrEqual(300);
    for (const what of ['close', 'suspect', 'dead', 'stall']) expect(count(told, what)).toBe(0);
    expect(count(told, 'pong')).toBe(count(told, 'ping'));
  });
});
