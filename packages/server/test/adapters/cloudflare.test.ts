import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { seededRandom } from '@wirebeat/core/testing';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { DurableOptions } from '../../src/adapters/cloudflare.ts';
import { exportMetrics as exportToOpenTelemetry } from '../../src/metrics/opentelemetry.ts';
import { exportMetrics as exportToPrometheus } from '../../src/metrics/prometheus.ts';
import { DurableWorld, type FakeSocket } from './durable-world.ts';

const PING = '\u0005wb';
const MINUTE = 60_000;
const BOUND = 110_000; // of the defaults
const LATE = 200; // ms: two steps of the world

let world: DurableWorld;
afterEach(() => world.end());

function create(options?: DurableOptions): DurableWorld {
  world = new DurableWorld(options);
  return world;
}

/** The times between two constructions of the object. */
function gaps(): number[] {
  return world.constructed.slice(1).map((at, index) => at - (world.constructed[index] ?? 0));
}

function silences(): number[] {
  return world.of('dead').map(({ silentFor }) => silentFor);
}

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe('the sweep of a Durable Object', () => {
  it.each(seeds)(
    'wakes it once a minute and finds the dead within the bound: seed %d',
    async (seed) => {
      create();
      const random = seededRandom(seed);
      const pages: FakeSocket[] = [];
      for (let page = 0; page < 8; page += 1) {
        pages.push(await world.connect({ pingsEvery: 25_000 }));
        await world.run(random() * 3_000);
      }
      const quiet = await world.connect();
      const lost = pages.slice(0, 4);
      for (const page of lost) {
        await world.run(random() * 2 * MINUTE);
        page.isGone = true;
      }
      await world.run(BOUND + 2 * MINUTE);
      expect([...world.dead].sort()).toEqual(lost);
      expect(Math.max(...silences())).toBeLessThanOrEqual(BOUND + LATE);
      expect(Math.min(...gaps())).toBeGreaterThanOrEqual(MINUTE);
      expect([...pages.slice(4), quiet].map(({ readyState }) => readyState)).toEqual([
        1, 1, 1, 1, 1,
      ]);
      expect(quiet.sent.length).toBeGreaterThan(3); // it was asked, and answered
      expect(world.of('end').map(({ reason }) => reason)).toEqual(lost.map(() => 'ping-timeout'));
    },
  );

  it('lets it sleep while all pages ping', async () => {
    create();
    const pages = await Promise.all([1, 2, 3].map(() => world.connect({ pingsEvery: 25_000 })));
    await world.run(MINUTE - 1_000);
    expect(world.isAsleep).toBe(true);
    expect(world.constructed).toHaveLength(1);
    await world.run(10 * MINUTE);
    expect(world.constructed).toHaveLength(11);
    expect(pages.map(({ sent }) => sent.length)).toEqual([2, 2, 2]); // a pong, and the first ping
  });

  it('publishes a bound that its options make', () => {
    create();
    expect(world.wake().detectionBound).toBe(BOUND);
    world.end();
    create({ pingInterval: 10_000, pingTimeout: 5_000, alarmInterval: 30_000 });
    expect(world.wake().detectionBound).toBe(45_000);
  });

  it('sets one alarm for all, and none when all have gone', async () => {
    create();
    const first = await world.connect();
    const due = world.alarmAt;
    expect(due).toBe(Date.now() + MINUTE);
    await world.run(5_000);
    const second = await world.connect();
    expect(world.alarmAt).toBe(due);
    for (const socket of [first, second]) {
      socket.close(1000);
      world.wake().closed(socket);
    }
    await world.run(2 * MINUTE);
    expect(world.alarmAt).toBeNull();
    expect(world.wake().sweep()).toBeUndefined();
  });

  it('does not ask a page that sends no pings, or is frozen, and does not judge it', async () => {
    create();
    const foreign = await world.connect({ first: '' });
    const frozen = await world.connect({ first: `${PING}.a1;v=1;state=frozen` });
    foreign.isGone = frozen.isGone = true;
    await world.run(5 * MINUTE);
    expect(world.dead).toEqual([]);
    expect(foreign.sent).toEqual([]);
    expect(frozen.sent).toHaveLength(1); // the pong to its first ping
  });

  it('judges at the next alarm if it was restarted before an answer', async () => {
    create();
    const lost = await world.connect();
    const quiet = await world.connect();
    await world.run(1_000);
    lost.isGone = true;
    await world.run(MINUTE - 500); // both have been asked
    world.restart();
    await world.run(MINUTE - 1_000);
    expect(world.dead).toEqual([]);
    await world.run(3_000);
    expect(world.dead).toEqual([lost]);
    expect(quiet.readyState).toBe(1);
  });

  it('gives a page up once, though its socket says that it is open after a sleep', async () => {
    create();
    const lost = await world.connect();
    await world.run(1_000);
    lost.isGone = true;
    await world.run(10 * MINUTE);
    expect(world.dead).toEqual([lost]);
    expect(lost.readyState).toBe(1);
    expect(world.wake().connections.size).toBe(0);
    expect(world.wake().message(lost, 'late')).toBe(true); // the application has lost it
    world.wake().closed(lost);
    expect(world.of('end')).toEqual([{ socket: lost, reason: 'ping-timeout' }]);
  });

  it('reads the answers that came during a stall before it judges', async () => {
    create();
    const quiet = await world.connect();
    await world.run(1_000);
    vi.advanceTimersByTime(MINUTE);
    await world.wake().alarm();
    expect(quiet.sent.at(-1)).toBe(`${PING}.wb`);
    vi.setSystemTime(Date.now() + 5 * MINUTE); // nothing runs
    vi.advanceTimersByTime(20_000); // now the timer does, before the answer is read
    expect(world.dead).toEqual([]);
    expect(world.of('stall')).toEqual([{ lateBy: 5 * MINUTE }]);
    world.deliver();
    vi.advanceTimersByTime(5_000);
    expect(world.dead).toEqual([]);
    expect(quiet.readyState).toBe(1);
  });

  it('finds a page that is gone after a stall too', async () => {
    create();
    const lost = await world.connect();
    await world.run(1_000);
    lost.isGone = true;
    vi.advanceTimersByTime(MINUTE);
    await world.wake().alarm();
    vi.setSystemTime(Date.now() + 5 * MINUTE);
    vi.advanceTimersByTime(20_000 + 1_000);
    expect(world.dead).toEqual([lost]);
    expect(lost.closedWith).toBe(3008);
  });

  it('measures the latency, and keeps it over a sleep', async () => {
    create();
    const page = await world.connect({ pingsEvery: 25_000 });
    await world.run(30_000);
    expect(world.isAsleep).toBe(true);
    expect(world.events.map(([name]) => name)).toEqual(['ping', 'pong']);
    expect(world.wake().latency(page)).toBeGreaterThanOrEqual(50);
    expect(world.wake().latency(page)).toBeLessThanOrEqual(150);
  });
});

describe('what a Durable Object shows of its clients', () => {
  it('calls a client suspect while its answer is awaited', async () => {
    create();
    const lost = await world.connect();
    const page = await world.connect({ pingsEvery: 25_000 });
    await world.run(1_000);
    lost.isGone = true;
    await world.run(MINUTE);
    const shown = world.wake().connections;
    expect([...shown].map(([, { status }]) => status)).toEqual(['suspect', 'alive']);
    expect(shown.get(page)?.latency).toBeGreaterThanOrEqual(50);
  });

  it('ends each connection once, with its reason', async () => {
    create();
    const session = 'AAAAAAAAAAAAAAAAAAAAAA';
    const first = `${PING}.a1;v=1;session=${session}`;
    const [older, newer] = [await world.connect({ first }), await world.connect({ first })];
    expect(world.of('replaced')).toEqual([{ socket: older, by: newer }]);
    for (let ping = 0; ping < 100; ping += 1) world.wake().message(newer, `${PING}.${ping}`);
    expect(world.of('flood')).toEqual([{ socket: newer }]);
    const plain = await world.connect();
    for (const socket of [older, newer, plain]) world.wake().closed(socket);
    expect(world.of('end')).toEqual([
      { socket: older, reason: 'replaced' },
      { socket: newer, reason: 'flood' },
      { socket: plain, reason: 'closed' },
    ]);
  });

  it('is counted by both exporters', async () => {
    create();
    const registry = new Registry();
    const reader = new Reader();
    const meter = new MeterProvider({ readers: [reader] }).getMeter('test');
    exportToPrometheus(world.wake(), { registry });
    exportToOpenTelemetry(world.wake(), { meter });
    const lost = await world.connect();
    await world.connect({ pingsEvery: 25_000 });
    await world.run(1_000);
    lost.isGone = true;
    world.keepAwake();
    await world.run(BOUND);
    const metrics = await registry.metrics();
    for (const line of [
      'wirebeat_connections{status="alive"} 1',
      'wirebeat_pings_total{tier="application"} 3',
      'wirebeat_pongs_total{tier="application"} 2',
      'wirebeat_timeouts_total{tier="transport",reason="ping-timeout"} 1',
      'wirebeat_ends_total{reason="ping-timeout"} 1',
    ]) {
      expect(metrics.split('\n')).toContain(line);
    }
    const { resourceMetrics } = await reader.collect();
    const counted = resourceMetrics.scopeMetrics[0]?.metrics.find(
      ({ descriptor }) => descriptor.name === 'wirebeat.pongs',
    );
    const points = counted?.dataPoints as { attributes: object; value: number }[];
    expect(points).toContainEqual(
      expect.objectContaining({ attributes: { tier: 'application' }, value: 2 }),
    );
  });
});

/** Is read when it is asked to. */
class Reader extends MetricReader {
  protected onForceFlush = async (): Promise<void> => {};
  protected onShutdown = async (): Promise<void> => {};
}
