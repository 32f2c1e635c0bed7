// Servers in other languages, unchanged, behind the gateway, and pages in a real Chromium: each end sees
// the other end. Beside each fault stands what is seen without it, or without the gateway's part in it.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacksUpstream, UPSTREAMS, Upstream } from '../../programs/upstream.ts';
import { allowance, MS } from '../allowance.ts';
import { type Fact, LifeStage, until, type Visit } from '../life-stage.ts';
import { startStage } from './gateway-stage.ts';

const PING_INTERVAL = 1_000;
const PING_TIMEOUT = 3_000;
const BOUND = PING_INTERVAL + PING_TIMEOUT + 250 + 3 * 250;
const KEEPALIVE = { interval: 1, timeout: 2 };
const KEEPALIVE_BOUND = (KEEPALIVE.interval + KEEPALIVE.timeout) * 1_000;
const DEFAULT_KEEPALIVE = 20_000; // of Python websockets, after which it asks
const SLACK = 1_000 * MS; // of processes on a busy machine
const DELAY = 600; // of the path behind the gateway

const HEARTBEAT = `pingInterval: ${PING_INTERVAL}, pingTimeout: ${PING_TIMEOUT}`;
const NOTES = `
for (const name of ['open', 'message', 'close', 'pong', 'dead', 'stall']) {
  socket.addEventListener(name, ({ detail, data, code }) => note(name, detail?.latency ?? detail?.lateBy ?? data ?? code));
}
socket.addEventListener('open', () => socket.send('hello'));
`;
/** One that comes back. */
const RECONNECTING = `
const socket = new wirebeat.ReconnectingWebSocket(url, [], {
  ${HEARTBEAT}, connectTimeout: 2_000, backoff: { maxDelay: 500 },
});
${NOTES}`;
/** One that has no time to say that it is frozen, and replaces no connection on a busy machine. */
const UNAWARE = RECONNECTING.replace(
  HEARTBEAT,
  `${HEARTBEAT}, lifecycle: false, makeBeforeBreak: false`,
);

const all = (facts: readonly Fact[], name: string) => facts.filter(([, what]) => what === name);
const said = (facts: readonly Fact[], name: string) =>
  all(facts, name).map(([, , detail]) => detail);

/** Waits until a page has noted so many of a name. Resolves to all that it noted. */
async function noted({ facts }: Visit, name: string, count: number, limit = 20_000 * MS) {
  const end = Date.now() + limit;
  for (;;) {
    const told = await facts();
    if (all(told, name).length >= count || Date.now() > end) return told;
    await sleep(50);
  }
}

let stage: LifeStage;

beforeAll(async () => {
  // Else Chromium ends the socket of a frozen page after a while.
  stage = await LifeStage.launch('--disable-features=DisconnectWebSocketOnBFCache');
});
afterAll(() => stage?.close());

describe.concurrent('Python websockets, as they are by default,', () => {
  const test = it.skipIf(lacksUpstream('Python websockets'));

  test('find the browser alive by their own keepalive', async (context) => {
    const { near, upstream, told } = await startStage(context, 'Python websockets');
    await stage.visit(context, { code: RECONNECTING, port: near.port });
    await upstream.next('pong', DEFAULT_KEEPALIVE + SLACK + 10_000 * MS);
    expect(upstream.told('timeout')).toEqual([]);
    expect(told.filter((what) => what.startsWith('dead'))).toEqual([]);
  });
});

describe.concurrent.each(UPSTREAMS)('%s behind the gateway', (name) => {
  const test = it.skipIf(lacksUpstream(name));

  test('gives a page the latency of the whole way, and its messages', async (context) => {
    const { near, far, gateway, told } = await startStage(context, name);
    far.delay = DELAY;
    const visit = await stage.visit(context, { code: RECONNECTING, port: near.port });
    const facts = await noted(visit, 'pong', 3);
    for (const latency of said(facts, 'pong')) expect(latency).toBeGreaterThanOrEqual(DELAY - 1);
    expect(said(facts, 'message')).toEqual(['echo hello']); // no beat came that far
    expect(told).toContain('beat');
    const [connection] = gateway.connections;
    expect(connection?.upstreamLatency).toBeGreaterThanOrEqual(DELAY - 1);
    expect(connection?.endToEndLatency).toBeGreaterThanOrEqual(connection?.upstreamLatency ?? 0);
    expect(all(facts, 'close')).toEqual([]);
  });

  test('takes beats for messages where there is no gateway', async (context) => {
    const upstream = await Upstream.start(name);
    context.onTestFinished(() => upstream.end());
    const visit = await stage.visit(context, { code: RECONNECTING, port: upstream.port });
    const facts = await noted(visit, 'message', 2);
    expect(said(facts, 'message')).toContainEqual(expect.stringContaining('echo \u0005wb'));
    expect(all(facts, 'pong')).toEqual([]);
  });

  test('is not in that latency where the gateway answers by itself', async (context) => {
    const { near, far } = await startStage(context, name, { options: { endToEnd: false } });
    far.delay = DELAY;
    const visit = await stage.visit(context, { code: RECONNECTING, port: near.port });
    const facts = await noted(visit, 'pong', 3);
    expect(Math.min(...(said(facts, 'pong') as number[]))).toBeLessThan(DELAY);
  });

  test('is missed within the bound when it is stopped, and found again', async (context) => {
    const { near, upstream, told } = await startStage(context, name);
    const visit = await stage.visit(context, { code: RECONNECTING, port: near.port });
    await noted(visit, 'pong', 2);
    upstream.stop();
    const stoppedAt = Date.now();
    const origin = Number(await visit.page.evaluate('performance.timeOrigin'));
    const facts = await noted(visit, 'close', 1);
    const [[closedAt, , code] = [Number.NaN]] = all(facts, 'close');
    const stalls = said(facts, 'stall') as number[];
    expect(origin + closedAt - stoppedAt).toBeLessThanOrEqual(
      BOUND + allowance(stalls, PING_TIMEOUT),
    );
    expect([4502, 3008]).toContain(code); // whoever found it first
    expect(code === 3008 || told.includes('dead upstream')).toBe(true);

    upstream.goOn();
    const later = await noted(visit, 'message', 2);
    expect(said(later, 'message')).toEqual(['echo hello', 'echo hello']);
    const pongs = all(later, 'pong').length;
    expect(all(await noted(visit, 'pong', pongs + 1), 'pong').length).toBeGreaterThan(pongs);
  });

  test('is not missed where the gateway answers by itself', async (context) => {
    const options = { endToEnd: false, upstreamHeartbeat: { pingInterval: false } } as const;
    const { near, upstream } = await startStage(context, name, { options });
    const visit = await stage.visit(context, { code: RECONNECTING, port: near.port });
    const before = all(await noted(visit, 'pong', 2), 'pong').length;
    upstream.stop();
    await sleep(2 * BOUND);
    const facts = await visit.facts();
    expect(all(facts, 'close')).toEqual([]);
    expect(all(facts, 'pong').length).toBeGreaterThan(before + 2);
  });

  // Beside other browsers, the page now and then ends its connection, and nothing is left to see. Only then: once more.
  const again = { retry: { count: 2, condition: /ended by the page/ } };
  test(
    'hears the browser of a frozen page, and the gateway says that it is unresponsive',
    again,
    async (context) => {
      const { near, upstream, told } = await startStage(context, name, { keepalive: KEEPALIVE });
      const visit = await stage.visit(context, { code: UNAWARE, port: near.port });
      await noted(visit, 'pong', 2);
      await upstream.next('pong', KEEPALIVE_BOUND + SLACK);
      await sleep(BOUND);
      expect(told).not.toContain('unresponsive'); // while it runs

      await visit.freeze(true);
      await until(() => told.includes('unresponsive'), 20_000 * MS);
      expect(told).toContain('unresponsive');
      await upstream.next('pong', KEEPALIVE_BOUND + SLACK); // after that
      const end = told.find((what) => what.endsWith('by page'));
      if (end !== undefined) throw new Error(`ended by the page, ${end}`);
      const ends = [upstream.told('timeout'), upstream.told('close')];
      const reasons = told.filter((what) => /^(dead|end)/.test(what));
      expect({ ends, reasons }).toEqual({ ends: [[], []], reasons: [] });
    },
  );

  test('ends a page whose network is cut when its own keepalive says so', async (context) => {
    const options = { pingInterval: 60_000, pingTimeout: 60_000 }; // the gateway has no opinion
    const way = { keepalive: KEEPALIVE, options };
    const { near, upstream } = await startStage(context, name, way);
    const visit = await stage.visit(context, { code: RECONNECTING, port: near.port });
    await noted(visit, 'pong', 2);
    const { at } = await upstream.next('pong', KEEPALIVE_BOUND + SLACK);
    near.cut();
    await upstream.next('close', 20_000 * MS);
    const [timeout, end] = [upstream.told('timeout'), upstream.told('close')].map(
      ([first]) => first,
    );
    const lastPong = upstream.told('pong').findLast((pong) => pong.at <= Number(timeout?.at));
    expect(Number(lastPong?.at)).toBeGreaterThanOrEqual(at);
    expect(Number(timeout?.at) - Number(lastPong?.at)).toBeLessThanOrEqual(KEEPALIVE_BOUND + SLACK);
    expect(Number(end?.at) - Number(lastPong?.at)).toBeLessThanOrEqual(KEEPALIVE_BOUND + SLACK);
  });

  test('does not see that cut where the gateway answers by itself', async (context) => {
    const options = { endToEnd: false, pingInterval: 60_000, pingTimeout: 60_000 };
    const way = { keepalive: KEEPALIVE, options };
    const { near, upstream } = await startStage(context, name, way);
    const visit = await stage.visit(context, { code: RECONNECTING, port: near.port });
    await noted(visit, 'pong', 2);
    near.cut();
    await sleep(2 * KEEPALIVE_BOUND);
    await upstream.next('pong', KEEPALIVE_BOUND + SLACK);
    expect(upstream.told('timeout')).toEqual([]);
  });
});
