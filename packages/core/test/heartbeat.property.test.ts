// The laws of the design as properties: whatever happens, in whatever order, these hold.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeat, VERDICT_WAIT } from '../src/heartbeat.ts';
import type { HeartbeatAction } from '../src/heartbeat-action.ts';
import { HIDDEN_TIMER_SLACK, TIMER_SLACK } from '../src/timing.ts';
import {
  anyLateness,
  type Entry,
  happenings,
  punctual,
  RUNS,
  simulate,
  timing,
} from './simulation.ts';

const settings = { numRuns: RUNS };
const life = happenings('receive', 'sent', 'pong', 'ping', 'ask', 'probe');
const outgoing = (entry: Entry) =>
  entry.type === 'sent' || entry.type === 'ping' || entry.type === 'pong';
const death = (log: readonly Entry[]) => log.find((entry) => entry.type === 'timeout');

describe('law 1: three clocks, never conflated', () => {
  it('never leaves the peer without a byte of ours for longer than pingInterval', () => {
    fc.assert(
      fc.property(timing, life, (options, events) => {
        const { log, end, heartbeat } = simulate(options, events, [0]);
        const until = death(log)?.at ?? end;
        const sends = [0, ...log.filter(outgoing).map((entry) => entry.at), until];
        for (const [index, at] of sends.slice(1).entries()) {
          expect(at - (sends[index] ?? 0)).toBeLessThanOrEqual(options.pingInterval);
        }
        if (heartbeat.status !== 'dead') expect(heartbeat.deadline).toBeGreaterThanOrEqual(end);
      }),
      settings,
    );
  });

  it('never hears nothing for longer than pingInterval without having asked', () => {
    fc.assert(
      fc.property(timing, life, (options, events) => {
        const { log, end } = simulate(options, events, [0]);
        let heard = 0;
        let asked = 0;
        for (const { at, type } of [...log, { at: end, type: 'end' }]) {
          if (asked <= heard) expect(at - heard).toBeLessThanOrEqual(options.pingInterval);
          if (type === 'received') heard = at;
          if (type === 'ping') asked = at;
          if (type === 'timeout') break;
        }
      }),
      settings,
    );
  });

  it('finds a silent peer dead however much is sent to it', () => {
    fc.assert(
      fc.property(timing, happenings('sent', 'ask'), (options, events) => {
        const { log, heartbeat } = simulate(options, events, [0], 1_000_000);
        expect(heartbeat.status).toBe('dead');
        expect(death(log)?.at).toBeLessThanOrEqual(heartbeat.detectionBound);
      }),
      settings,
    );
  });

  it('skips no more than three pings running towards a peer that has sent none', () => {
    fc.assert(
      fc.property(timing, happenings('receive', 'sent', 'pong'), (options, events) => {
        const { log, end } = simulate(options, events, [0]);
        const until = death(log)?.at ?? end;
        const pings = log.filter((entry) => entry.type === 'ping').map((entry) => entry.at);
        for (const [index, at] of [...pings, until].entries()) {
          expect(at - (pings[index - 1] ?? 0)).toBeLessThanOrEqual(4 * options.pingInterval);
        }
      }),
      settings,
    );
  });
});

describe('law 2: a late timer is news about us', () => {
  it('gives no verdict at a late tick before three stalls without input', () => {
    fc.assert(
      fc.property(timing, life, anyLateness, (options, events, lateness) => {
        const { log } = simulate(options, events, lateness, 2_000_000);
        let stalls = 0;
        for (const [index, entry] of log.entries()) {
          const before = log[index - 1];
          const isLate = before?.type === 'stall' && before.at === entry.at;
          if (entry.type === 'received') stalls = 0;
          if (entry.type === 'timeout' && isLate) expect(stalls).toBeGreaterThan(3);
          if (entry.type === 'stall') stalls += 1;
        }
      }),
      settings,
    );
  });

  it('never declares a peer dead that answers in time, however often we stall', () => {
    const stall = fc.record({
      after: fc.integer({ min: 0, max: 60_000 }),
      length: fc.integer({ min: 0, max: 200_000 }),
    });
    fc.assert(
      fc.property(
        timing,
        fc.array(stall),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        answersInTime,
      ),
      settings,
    );
  });

  it('looks once more, a quarter of a second later, even if it is punctual', () => {
    fc.assert(
      fc.property(timing, punctual, (options, lateness) => {
        const { log } = simulate(options, [], lateness, 1_000_000);
        const ping = log.find((entry) => entry.type === 'ping');
        const waited = (death(log)?.at ?? 0) - (ping?.at ?? 0);
        expect(waited).toBeGreaterThanOrEqual(options.pingTimeout + VERDICT_WAIT);
      }),
      settings,
    );
  });
});

/** A peer that answers each ping within `share` of pingTimeout; bytes wait while we are stalled. */
function answersInTime(
  options: { pingInterval: number; pingTimeout: number },
  stalls: readonly { after: number; length: number }[],
  share: number,
): void {
  const heartbeat = new Heartbeat(options);
  const pongs: { at: number; id: string | undefined }[] = [];
  let now = 0;
  const answer = (actions: readonly HeartbeatAction[]) => {
    for (const action of actions) {
      expect(action.type).not.toBe('timeout');
      if (action.type === 'ping')
        pongs.push({ at: now + options.pingTimeout * share, id: action.id });
    }
  };
  const runUntil = (end: number) => {
    for (;;) {
      const pongAt = pongs[0]?.at ?? Number.POSITIVE_INFINITY;
      const next = Math.min(pongAt, heartbeat.deadline);
      if (next > end) break;
      now = Math.max(now, next);
      // At the same instant the timer runs first, as in most runtimes.
      if (heartbeat.deadline <= pongAt) answer(heartbeat.tick(now));
      else heartbeat.receivePong(now, pongs.shift()?.id);
    }
    now = end;
  };
  heartbeat.open(0);
  for (const { after, length } of stalls) {
    runUntil(now + after);
    now += length;
    answer(heartbeat.tick(now)); // after a stall the overdue timer runs before what is queued
    now += 100;
    while ((pongs[0]?.at ?? Number.POSITIVE_INFINITY) < now)
      heartbeat.receivePong(now, pongs.shift()?.id);
  }
  runUntil(now + 300_000);
  expect(heartbeat.status).not.toBe('dead');
}

describe('law 3: any bytes received after a ping lift its death sentence', () => {
  it('times out only after pingTimeout without a byte', () => {
    fc.assert(
      fc.property(timing, life, punctual, (options, events, lateness) => {
        const { log } = simulate(options, events, lateness, 500_000);
        const end = death(log);
        if (end?.type !== 'timeout' || end.reason !== 'ping-timeout') return;
        const heard = log.filter((entry) => entry.type === 'received').at(-1)?.at ?? 0;
        expect(end.at - heard).toBeGreaterThanOrEqual(options.pingTimeout + VERDICT_WAIT);
        expect(end.silentFor).toBe(end.at - heard);
      }),
      settings,
    );
  });

  it('calls a peer that sends one-way only after three periods of pings in vain', () => {
    fc.assert(
      fc.property(timing, life, punctual, (options, events, lateness) => {
        const { log } = simulate(options, events, lateness, 500_000);
        const end = death(log);
        if (end?.type !== 'timeout' || end.reason !== 'one-way') return;
        const pings = log.filter((entry) => entry.type === 'ping');
        expect(pings.length).toBeGreaterThan(2);
        expect(end.at).toBeGreaterThanOrEqual(3 * (options.pingInterval + options.pingTimeout));
      }),
      settings,
    );
  });
});

describe('law 5: one lost pong never stops the schedule', () => {
  it('pings on while bytes come, though no pong ever does', () => {
    fc.assert(
      fc.property(timing, (options) => {
        const heartbeat = new Heartbeat(options);
        heartbeat.open(0);
        let pings = 0;
        for (let now = 0; now < 20 * options.pingInterval; now = heartbeat.deadline) {
          pings += heartbeat.tick(now).filter(({ type }) => type === 'ping').length;
          heartbeat.receive(now);
        }
        expect(pings).toBeGreaterThanOrEqual(18);
        expect(heartbeat.status).toBe('alive');
      }),
      settings,
    );
  });
});

describe('law 12: time is monotonic', () => {
  const number = fc.oneof(
    fc.double(),
    fc.integer({ min: -1_000, max: 200_000 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
  );
  const input = fc.constantFrom(
    'open',
    'receive',
    'sent',
    'receivePing',
    'receivePong',
    'tick',
    'ping',
    'suspend',
    'resume',
    'close',
  );

  it('survives any input at any time, and keeps its deadline', () => {
    fc.assert(
      fc.property(timing, fc.array(fc.tuple(input, number)), number, (options, inputs, short) => {
        const heartbeat = new Heartbeat(options);
        for (const [name, now] of inputs) {
          heartbeat[name](now);
          heartbeat.probe(now, short);
          expect(heartbeat.deadline).not.toBeNaN();
        }
        heartbeat.resume(0);
        const isOpen = heartbeat.status === 'alive' || heartbeat.status === 'suspect';
        expect(Number.isFinite(heartbeat.deadline)).toBe(isOpen);
      }),
      settings,
    );
  });

  it('does nothing at an early or repeated tick', () => {
    fc.assert(
      fc.property(timing, life, punctual, (options, events, lateness) => {
        const { heartbeat, end } = simulate(options, events, lateness);
        const before = [heartbeat.status, heartbeat.deadline];
        if (heartbeat.deadline <= end) return;
        expect(heartbeat.tick(end)).toEqual([]);
        expect(heartbeat.tick(heartbeat.deadline - 1)).toEqual([]);
        expect([heartbeat.status, heartbeat.deadline]).toEqual(before);
      }),
      settings,
    );
  });
});

describe('law 14: the bound is published', () => {
  it('is never exceeded while no timer is later than the slack', () => {
    fc.assert(
      fc.property(timing, life, punctual, fc.boolean(), (options, events, lateness, hidden) => {
        const { log, heartbeat } = simulate(options, events, lateness, 500_000);
        heartbeat.timerSlack = hidden ? HIDDEN_TIMER_SLACK : TIMER_SLACK;
        const end = death(log);
        if (end?.type !== 'timeout' || end.reason !== 'ping-timeout') return;
        expect(end.silentFor).toBeLessThanOrEqual(heartbeat.detectionBound);
      }),
      settings,
    );
  });

  it('grows by what the stalls took, and by a timeout for each of at most three probes', () => {
    fc.assert(
      fc.property(timing, anyLateness, (options, lateness) => {
        const { log, heartbeat } = simulate(options, [], lateness, 5_000_000);
        const { pingTimeout } = options;
        const stalls = log.flatMap((entry) => (entry.type === 'stall' ? [entry.lateBy] : []));
        const late = stalls.reduce((sum, each) => sum + each, 0);
        const probes = Math.min(3, stalls.length) * (pingTimeout + VERDICT_WAIT + 2 * TIMER_SLACK);
        expect(heartbeat.status).toBe('dead');
        expect(death(log)?.at).toBeLessThanOrEqual(heartbeat.detectionBound + late + probes);
      }),
      settings,
    );
  });

  it('is Infinity if pings or their timeout are off', () => {
    expect(new Heartbeat({ pingInterval: false }).detectionBound).toBe(Number.POSITIVE_INFINITY);
    expect(new Heartbeat({ pingTimeout: false }).detectionBound).toBe(Number.POSITIVE_INFINITY);
  });
});
