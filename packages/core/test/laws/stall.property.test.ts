import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeartbeatAction } from '../../src/machine/actions.ts';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { HIDDEN_TIMER_SLACK, TIMER_SLACK } from '../../src/machine/timing.ts';
import {
  anyLateness,
  happenings,
  type Input,
  jittered,
  life,
  punctual,
  type Settings,
  settings,
  simulate,
  throttled,
  timing,
} from '../simulation.ts';

const EVERYTHING: readonly Input[] = [
  'receive',
  'sent',
  'pong',
  'ping',
  'ask',
  'probe',
  'buffered',
  'suspend',
  'resume',
];

describe('law 2: a late timer is news about us', () => {
  it('gives no verdict at a late tick before three stalls without input', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { log } = simulate(options, events, { lateness }, 2_000_000);
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

  it('asks afresh after a stall, with a full timeout of its own', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { log, death } = simulate(options, events, { lateness }, 2_000_000);
        const heardAt = log.findLastIndex(({ type }) => type === 'received');
        const stalls = log.slice(heardAt + 1).filter(({ type }) => type === 'stall');
        const last = stalls.at(-1);
        if (death?.reason !== 'ping-timeout' || last === undefined || stalls.length > 3) return;
        expect(log.some(({ type, at }) => type === 'ping' && at === last.at)).toBe(true);
        expect(death.at - last.at).toBeGreaterThanOrEqual(options.pingTimeout + VERDICT_WAIT);
      }),
      settings,
    );
  });

  it('calls nothing a stall that is no later than the slack, also in a hidden page', () => {
    const late = fc.oneof(
      fc.record({ hidden: fc.constant(false), lateness: punctual }),
      fc.record({ hidden: fc.constant(true), lateness: throttled }),
    );
    const all = happenings(...EVERYTHING);
    fc.assert(
      fc.property(jittered, all, late, fc.boolean(), (options, events, conditions, unknown) => {
        const memory = unknown ? new PeerMemory() : undefined;
        const { log } = simulate(options, events, { ...conditions, memory }, 500_000);
        expect(log.filter(({ type }) => type === 'stall')).toEqual([]);
      }),
      settings,
    );
  });

  it('tells how late each stall was', () => {
    const bytes = happenings('receive', 'sent', 'ask', 'ping');
    fc.assert(
      fc.property(
        jittered,
        bytes,
        anyLateness,
        fc.boolean(),
        (options, events, lateness, hidden) => {
          const { log } = simulate(options, events, { lateness, hidden }, 500_000);
          for (const entry of log) {
            if (entry.type !== 'stall') continue;
            expect(entry.lateBy).toBeGreaterThan(hidden ? HIDDEN_TIMER_SLACK : TIMER_SLACK);
            expect(entry.lateBy).toBeLessThanOrEqual(Math.max(...lateness));
          }
        },
      ),
      settings,
    );
  });

  it('never declares a peer dead that answers in time, however often we stall', () => {
    const stall = fc.record({
      after: fc.integer({ min: 0, max: 60_000 }),
      length: fc.integer({ min: 0, max: 200_000 }),
    });
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(fc.property(timing, fc.array(stall), share, fc.boolean(), answersInTime), settings);
  });

  it('looks once more, a quarter of a second later, even if it is punctual', () => {
    fc.assert(
      fc.property(jittered, punctual, (options, lateness) => {
        const { death, pings } = simulate(options, [], { lateness }, 1_000_000);
        const waited = (death?.at ?? 0) - (pings[0]?.at ?? 0);
        expect(waited).toBeGreaterThanOrEqual(options.pingTimeout + VERDICT_WAIT);
      }),
      settings,
    );
  });
});

/** A peer that answers each ping within `share` of pingTimeout; bytes wait while we are stalled. */
function answersInTime(
  options: Settings,
  stalls: readonly { after: number; length: number }[],
  share: number,
  hidden: boolean,
): void {
  const heartbeat = new Heartbeat(options);
  if (hidden) heartbeat.timerSlack = HIDDEN_TIMER_SLACK;
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
