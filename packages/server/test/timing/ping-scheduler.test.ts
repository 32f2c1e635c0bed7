import { TimingWheel } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { attachHeartbeat } from '../../src/attach.ts';
import { GRANULE, PingScheduler, sharedPingScheduler } from '../../src/timing/ping-scheduler.ts';
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
}

/** Beats of so many connections, and the most in one granule, period by period. */
function run({ connections, openingFor, stall }: Course): number[] {
  const random = seededRandom(connections);
  let now = 0;
  const metronome = new PingScheduler({ now: () => now, at: () => ({ cancel: () => {} }) });
  const beats = new Uint32Array((PERIODS + 2) * PERIOD);
  const beat = () => {
    const length = metronome.place(INTERVAL, JITTER, random);
    const granule = Math.ceil((now + length) / GRANULE);
    beats[granule] = (beats[granule] ?? 0) + 1;
  };
  for (let index = 0; index < connections; index += 1) {
    now = (index / connections) * openingFor;
    metronome.opening(beat);
  }
  const most = new Array<number>(PERIODS).fill(0);
  const runsAgain = 4 * PERIOD + stall;
  for (let granule = 1; granule < PERIODS * PERIOD; granule += 1) {
    now = granule * GRANULE;
    const due = beats[granule] ?? 0;
    if (granule >= 4 * PERIOD && granule < runsAgain) {
      beats[runsAgain] = (beats[runsAgain] ?? 0) + due;
      continue;
    }
    for (let index = 0; index < due; index += 1) beat();
    const period = Math.floor(granule / PERIOD);
    if (granule !== runsAgain || stall === 0) most[period] = Math.max(most[period] ?? 0, due);
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

describe('PingScheduler', () => {
  it('takes its part of an interval within the jitter, in an opening anywhere in the interval', () => {
    const random = seededRandom(1);
    const metronome = new PingScheduler(new VirtualScheduler());
    const parts = (draw: () => number) =>
      Array.from({ length: 8 }, draw).map((l) => 1 - l / INTERVAL);
    const draw = () => metronome.place(INTERVAL, JITTER, random);
    const routine = parts(draw);
    expect(Math.min(...routine)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...routine)).toBeLessThan(JITTER);
    const opening: number[] = [];
    metronome.opening(() => opening.push(...parts(draw)));
    expect(Math.max(...opening)).toBeGreaterThan(0.5);
    expect(Math.max(...opening)).toBeLessThan(1);
    expect(Math.min(...opening)).toBeGreaterThanOrEqual(0);
  });

  it('looks at four places, and takes the first that has the fewest', () => {
    const metronome = new PingScheduler(new VirtualScheduler());
    const chances = [0.1, 0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.2, 0.1];
    const random = () => chances.shift() ?? Number.NaN;
    const after = (chance: number) => Math.ceil(INTERVAL * (1 - JITTER * chance));
    expect(metronome.place(INTERVAL, JITTER, random)).toBe(after(0.1)); // an empty one: no need to look on
    expect(metronome.place(INTERVAL, JITTER, random)).toBe(after(0.2));
    expect(metronome.place(INTERVAL, JITTER, random)).toBe(after(0.3));
    expect(metronome.place(INTERVAL, JITTER, random)).toBe(after(0.4));
    chances.unshift(0.4, 0.3, 0.2, 0.2); // all have one
    chances.length = 4;
    expect(metronome.place(INTERVAL, JITTER, random)).toBe(after(0.4));
    expect(chances).toEqual([]);
  });

  it('is itself again where opening throws', () => {
    const metronome = new PingScheduler(new VirtualScheduler());
    const open = () => {
      throw new Error('open');
    };
    expect(() => metronome.opening(open)).toThrow('open');
    const length = Math.ceil(INTERVAL * (1 - JITTER * 0.9)); // within the jitter again
    expect(metronome.place(INTERVAL, JITTER, () => 0.9)).toBe(length);
  });
});

describe('the timing wheel of a process', () => {
  it('serves the connections of several servers by one timer, and rests once they have ended', () => {
    const { scheduler } = sharedPingScheduler();
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
    const wheel = sharedPingScheduler().scheduler as TimingWheel;
    const before = wheel.size;
    new Stage().connect();
    expect(wheel.size).toBe(before);
  });
});

describe('a server on a wheel', () => {
  it('lets no Ping burst, whenever its connections came, and finds the dead within the bound', () => {
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
    scheduler.advanceTo(240_000);
    expect(scheduler.pending).toBe(1);
    expect(Math.max(...pings.values())).toBeLessThanOrEqual(2 * (connections / PERIOD) + 4);
    for (const { peer } of sockets.slice(0, 100)) peer.answersPings = false;
    const bound = heartbeat.get(sockets[0] as never)?.detectionBound ?? Number.NaN;
    scheduler.advanceTo(240_000 + bound + 3 * GRANULE);
    expect(dead).toHaveLength(100);
    expect(Math.max(...dead)).toBeLessThanOrEqual(bound + 3 * GRANULE);
    heartbeat.detach();
  });
});
