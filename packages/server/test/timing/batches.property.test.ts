import { type Millis, TimingWheel } from '@wirebeat/core';
import { seededRandom, VirtualScheduler } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachHeartbeat } from '../../src/attach.ts';
import { GRANULE } from '../../src/timing/ping-planner.ts';
import { VirtualServer, VirtualSocket } from '../virtual-server.ts';

const RUNS = Number(process.env['HEARTBEAT_LONG'] === '1') * 80 + 20;

/** A fleet that is large enough for batches. */
const fleets = fc.record({
  connections: fc.integer({ min: 100, max: 250 }),
  pingInterval: fc.integer({ min: 1_500, max: 30_000 }),
  pingTimeout: fc.integer({ min: 500, max: 20_000 }),
  jitter: fc.constantFrom(0, 0.005, 0.03, 0.1, 0.5),
  openingFor: fc.integer({ min: 0, max: 20_000 }),
  /** The part of the clients that sends a message now and then, and how often each does. */
  talkers: fc.double({ min: 0, max: 1, noNaN: true }),
  talksEach: fc.integer({ min: 200, max: 40_000 }),
  seed: fc.integer(),
});

type Fleet = typeof fleets extends fc.Arbitrary<infer Value> ? Value : never;

function run(fleet: Fleet) {
  const { connections, pingInterval, pingTimeout, jitter, openingFor, seed } = fleet;
  const scheduler = new VirtualScheduler();
  const random = seededRandom(seed);
  const wheel = new TimingWheel(scheduler, { granule: GRANULE, slots: 4_096 });
  const server = new VirtualServer();
  const options = { pingInterval, pingTimeout, jitter, random, scheduler: wheel };
  const heartbeat = attachHeartbeat(server, { ...options, advertise: false });
  const asked: Map<object, Millis> = new Map();
  const late: Millis[] = []; // the server sends nothing else, so each interval begins with a ping
  heartbeat.on('ping', ({ socket }) => {
    const before = asked.get(socket);
    if (before !== undefined) late.push(scheduler.now() - before - pingInterval);
    asked.set(socket, scheduler.now());
  });
  const sockets = Array.from({ length: connections }, () => {
    const manners = { answersPings: true, answersBeats: false, latency: 200 * random(), lag: 0 };
    return new VirtualSocket(scheduler, manners, () => {});
  });
  for (const socket of sockets) {
    scheduler.at(openingFor * random(), () => server.accept(socket));
  }
  return { scheduler, heartbeat, random, sockets, late };
}

/** Lets some of the clients talk until `end`. */
function talk(fleet: Fleet, { scheduler, random, sockets }: ReturnType<typeof run>, end: Millis) {
  const say = (socket: VirtualSocket): void => {
    if (scheduler.now() > end || socket.peer.answersPings === false) return;
    socket.receive('hello');
    scheduler.at(scheduler.now() + fleet.talksEach * (0.5 + random()), () => say(socket));
  };
  for (const socket of sockets.slice(0, fleet.talkers * sockets.length)) say(socket);
}

describe('a fleet whose pings leave in batches', () => {
  it('pings nobody later than its interval and a granule, and finds the dead within the bound', () => {
    fc.assert(
      fc.property(fleets, (fleet) => {
        const stage = run(fleet);
        const { scheduler, heartbeat, random, sockets, late } = stage;
        const opened = fleet.openingFor + 1;
        scheduler.advanceTo(opened);
        const end = opened + 4 * fleet.pingInterval;
        talk(fleet, stage, end);
        const dead: Map<object, Millis> = new Map();
        heartbeat.on('dead', ({ socket, silentFor }) => dead.set(socket, silentFor));
        const dying = sockets.filter(() => random() < 0.3);
        for (const socket of dying) {
          const diesAt = opened + 3 * fleet.pingInterval * random();
          scheduler.at(diesAt, () => {
            socket.peer.answersPings = false;
          });
        }
        const bound = heartbeat.get(sockets[0] as never)?.detectionBound ?? Number.NaN;
        scheduler.advanceTo(end + bound + 1_000);
        heartbeat.detach();
        expect([...dead.keys()].every((socket) => dying.includes(socket as VirtualSocket))).toBe(
          true,
        );
        expect(dead.size).toBe(dying.length);
        expect(Math.max(0, ...dead.values())).toBeLessThanOrEqual(bound + 3 * GRANULE);
        expect(Math.max(0, ...late)).toBeLessThanOrEqual(GRANULE + 1);
      }),
      { numRuns: RUNS },
    );
  });
});
