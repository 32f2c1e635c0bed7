import { TimingWheel } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { attachHeartbeat } from '../../src/attach.ts';
import { GRANULE, PingPlanner, sharedPingPlanner } from '../../src/timing/ping-planner.ts';
import { Stage, VirtualServer, VirtualSocket } from '../virtual-server.ts';

const INTERVAL = 30_000;
const JITTER = 0.1;
const PERIOD = INTERVAL / GRANULE; // in granules
const PERIODS = 8;

interface Course {
  readonly connections: number;
  /** How long it takes until all are open. */
  readonly openingFor: number;
  /** How many granules the process does not run, after four periods. */
  readonly stall: number;
  /** How far apart batches are, in ms. */
  readonly batch?: number;
  /** How many connections that opened one after another keep to the same batch. */
  readonly neighbours?: number;
}

/** Beats of so many connections, and the most in one granule, period by period. */
function run({ connections, openingFor, stall, batch = GRANULE, neighbours }: Course): number[] {
  const random = seededRandom(connections);
  let now = 0;
  const pingPlanner = new PingPlanner({ now: () => now, at: () => ({ cancel: () => {} }) });
  const beats: Map<number, number[]> = new Map(); // the connections that beat in each granule
  const dueIn = (granule: number) => beats.get(granule) ?? [];
  const beat = (connection: number) => {
    const group = neighbours && Math.floor(connection / neighbours);
    const length = pingPlanner.place(INTERVAL, JITTER, random, batch, group);
    expect(length).toBeLessThanOrEqual(INTERVAL);
    const granule = Math.ceil((now + length) / GRANULE);
    beats.set(granule, [...dueIn(granule), connection]);
  };
  for (let index = 0; index < connections; index += 1) {
    now = (index / connections) * openingFor;
    pingPlanner.opening(() => beat(index));
  }
  const most = new Array<number>(PERIODS).fill(0);
  const runsAgain = 4 * PERIOD + stall;
  for (let granule = 1; granule < PERIODS * PERIOD; granule += 1) {
    now = granule * GRANULE;
    const due = dueIn(granule);
    if (granule >= 4 * PERIOD && granule < runsAgain) {
      beats.set(runsAgain, [...dueIn(runsAgain), ...due]);
      continue;
    }
    for (const connection of due) beat(connection);
    const period = Math.floor(granule / PERIOD);
    if (granule !== runsAgain || stall === 0) {
      most[period] = Math.max(most[period] ?? 0, due.length);
    }
  }
  return most;
}

describe('the beats of very many connections', () => {
  for (const connections of [10, 100, 1_000, 10_000]) {
    const mean = connections / PERIOD / (1 - JITTER / 2);
    it.each([
      ['at once', { openingFor: 0, stall: 0 }],
      ['within ten seconds', { openingFor: 10_000, stall: 0 }],
      ['within ten seconds, and stall for as long', { openingFor: 10_000, stall: 1_000 }],
    ])(`never burst: ${connections} that open %s`, (_, course) => {
      const most = run({ connections, ...course });
      // The bound that is published: the mean and four more, and twice the mean while they settle.
      for (const beats of most) expect(beats).toBeLessThanOrEqual(2 * mean + 4);
      for (const beats of [most[3], most[7]]) expect(beats).toBeLessThanOrEqual(mean + 4);
    });
  }
});

describe('batches', () => {
  for (const [connections, parts, neighbours] of [
    [100, 10, 1],
    [300, 10, 4],
    [500, 10, 8],
    [1_000, 10, 8],
    [2_500, 25, 8],
    [10_000, 100, 8],
  ] as const) {
    const mean = connections / parts / (1 - JITTER / 2);
    it.each([
      ['at once', { openingFor: 0, stall: 0 }],
      ['within ten seconds', { openingFor: 10_000, stall: 0 }],
      ['within ten seconds, and stall for as long', { openingFor: 10_000, stall: 1_000 }],
    ])(`are of about equal size: ${connections} in ${parts} that open %s`, (_, course) => {
      const most = run({ connections, batch: INTERVAL / parts, neighbours, ...course });
      for (const beats of most) expect(beats).toBeLessThanOrEqual(3 * mean + 4);
      for (const beats of [most[3], most[7]]) expect(beats).toBeLessThanOrEqual(1.5 * mean + 4);
    });
  }
});

describe('PingPlanner', () => {
  it('takes its part of an interval within the jitter, in an opening anywhere in the interval', () => {
    const random = seededRandom(1);
    const pingPlanner = new PingPlanner(new VirtualScheduler());
    const parts = (draw: () => number) =>
      Array.from({ length: 8 }, draw).map((l) => 1 - l / INTERVAL);
    const draw = () => pingPlanner.place(INTERVAL, JITTER, random);
    const routine = parts(draw);
    expect(Math.min(...routine)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...routine)).toBeLessThan(JITTER);
    const opening: number[] = [];
    pingPlanner.opening(() => opening.push(...parts(draw)));
    expect(Math.max(...opening)).toBeGreaterThan(0.5);
    expect(Math.max(...opening)).toBeLessThan(1);
    expect(Math.min(...opening)).toBeGreaterThanOrEqual(0);
  });

  it('looks at four places, and takes the first that has the fewest', () => {
    const pingPlanner = new PingPlanner(new VirtualScheduler());
    const chances = [0.1, 0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1];
    const random = () => chances.shift() ?? Number.NaN;
    const after = (chance: number) => Math.ceil(INTERVAL * (1 - JITTER * chance));
    expect(pingPlanner.place(INTERVAL, JITTER, random)).toBe(after(0.1)); // an empty one: no need to look on
    expect(pingPlanner.place(INTERVAL, JITTER, random)).toBe(after(0.2));
    expect(pingPlanner.place(INTERVAL, JITTER, random)).toBe(after(0.3));
    expect(pingPlanner.place(INTERVAL, JITTER, random)).toBe(after(0.4));
    chances.unshift(0.4, 0.3, 0.2, 0.2); // all have one
    chances.length = 4;
    expect(pingPlanner.place(INTERVAL, JITTER, random)).toBe(after(0.4));
    expect(chances).toEqual([]);
  });

  it('lets an interval end with a batch, if one is within the jitter', () => {
    const random = seededRandom(2);
    const scheduler = new VirtualScheduler();
    const pingPlanner = new PingPlanner(scheduler);
    for (let time = 0; time < 10_000; time += 777.7) {
      scheduler.advanceTo(time);
      const length = pingPlanner.place(INTERVAL, JITTER, random, 1_200);
      expect((Math.floor(time) + length) % 1_200).toBe(0);
      expect(length).toBeGreaterThanOrEqual(INTERVAL * (1 - JITTER));
      expect(length).toBeLessThanOrEqual(INTERVAL);
    }
    scheduler.advanceTo(12_100);
    expect(pingPlanner.place(1_000, JITTER, () => 0.5, 12_000)).toBe(950);
  });

  it('lets the intervals of a group end together, if the jitter allows it', () => {
    const random = seededRandom(4);
    const scheduler = new VirtualScheduler();
    const pingPlanner = new PingPlanner(scheduler);
    const endOf = (group: number | undefined) => {
      const length = pingPlanner.place(INTERVAL, JITTER, random, 300, group);
      expect(length).toBeGreaterThanOrEqual(INTERVAL * (1 - JITTER));
      expect(length).toBeLessThanOrEqual(INTERVAL);
      return Math.floor(scheduler.now()) + length;
    };
    for (let group = 0; group < 100; group += 1) {
      scheduler.advance(10.3);
      const end = endOf(group);
      scheduler.advance(1.7);
      const isWithin = end - Math.floor(scheduler.now()) >= INTERVAL * (1 - JITTER);
      if (isWithin) expect([endOf(group), endOf(group)]).toEqual([end, end]);
      else endOf(group);
    }
    const alone = Array.from({ length: 5 }, () => endOf(undefined));
    expect(new Set(alone).size).toBeGreaterThan(1);
  });

  it('is itself again where opening throws', () => {
    const pingPlanner = new PingPlanner(new VirtualScheduler());
    const open = () => {
      throw new Error('open');
    };
    expect(() => pingPlanner.opening(open)).toThrow('open');
    const length = Math.ceil(INTERVAL * (1 - JITTER * 0.9)); // within the jitter again
    expect(pingPlanner.place(INTERVAL, JITTER, () => 0.9)).toBe(length);
  });
});

describe('the timing wheel of a process', () => {
  it('serves the connections of several servers by one timer, and rests once they have ended', () => {
    const { scheduler } = sharedPingPlanner();
    expect(scheduler).toBeInstanceOf(TimingWheel);
    const wheel = scheduler as TimingWheel;
    const before = wheel.size;
    let timers = 0;
    const { setTimeout, clearTimeout } = globalThis;
    const set = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((...args: never[]) => {
      timers += 1;
      return Reflect.apply(setTimeout, globalThis, args);
    }) as never);
    const clear = vi.spyOn(globalThis, 'clearTimeout').mockImplementation(((handle: never) => {
      if (handle !== undefined) timers -= 1;
      clearTimeout(handle);
    }) as never);
    const heartbeats = [new VirtualServer(), new VirtualServer()].map((server) => {
      const heartbeat = attachHeartbeat(server);
      for (let count = 0; count < 100; count += 1) server.accept(new Stage().socket());
      return heartbeat;
    });
    expect(wheel.size).toBeGreaterThan(before);
    expect(wheel.size).toBeLessThan(before + 200); // their rows are in lists of their own
    expect(timers).toBeLessThanOrEqual(1);
    for (const heartbeat of heartbeats) heartbeat.detach();
    set.mockRestore();
    clear.mockRestore();
    expect(wheel.size).toBe(before);
  });

  it('is coarse by a granule, which the bound has thrice', () => {
    const server = new VirtualServer();
    const heartbeat = attachHeartbeat(server);
    const socket = new Stage().socket();
    server.accept(socket);
    expect(heartbeat.get(socket)?.detectionBound).toBe(51_000 + 3 * GRANULE);
    heartbeat.detach();
  });

  it('is not made where a scheduler is given', () => {
    const wheel = sharedPingPlanner().scheduler as TimingWheel;
    const before = wheel.size;
    new Stage().connect();
    expect(wheel.size).toBe(before);
  });
});

describe('a server on a wheel', () => {
  it('sends its Pings in batches, whenever its connections came, and finds the dead within the bound', () => {
    const connections = 300;
    const scheduler = new VirtualScheduler();
    const wheel = new TimingWheel(scheduler, { granule: GRANULE, slots: 4_096 });
    const server = new VirtualServer();
    const heartbeat = attachHeartbeat(server, { scheduler: wheel, random: seededRandom(3) });
    const pings: Map<number, number> = new Map();
    const dead: number[] = [];
    heartbeat.on('ping', () => {
      const granule = Math.ceil(scheduler.now() / GRANULE);
      pings.set(granule, (pings.get(granule) ?? 0) + 1);
    });
    heartbeat.on('dead', ({ silentFor }) => dead.push(silentFor));
    const manners = { answersPings: true, answersBeats: false, latency: 40, lag: 0 };
    const sockets = Array.from({ length: connections }, () => {
      return new VirtualSocket(scheduler, { ...manners }, () => {});
    });
    for (const socket of sockets) server.accept(socket);
    pings.clear(); // the first ones: each its own opening's
    scheduler.advanceTo(241_000); // no ping is on its way
    expect(scheduler.pending).toBe(1);
    expect(Math.max(...pings.values())).toBeLessThanOrEqual(1.5 * (connections / 10));
    const late = [...pings.keys()].filter((granule) => granule * GRANULE > INTERVAL);
    expect(late.length).toBeLessThanOrEqual((10 * 210_000) / INTERVAL + 1); // ten batches an interval
    for (const { peer } of sockets.slice(0, 100)) peer.answersPings = false;
    const bound = heartbeat.get(sockets[0] as never)?.detectionBound ?? Number.NaN;
    scheduler.advanceTo(241_000 + bound + 3 * GRANULE);
    expect(dead).toHaveLength(100);
    expect(Math.max(...dead)).toBeLessThanOrEqual(bound + 3 * GRANULE);
    heartbeat.detach();
  });
});
