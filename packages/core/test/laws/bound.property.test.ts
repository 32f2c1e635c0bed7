import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { HIDDEN_TIMER_SLACK, TIMER_SLACK } from '../../src/machine/timing.ts';
import type { HeartbeatOptions } from '../../src/options.ts';
import {
  anyLateness,
  happenings,
  jittered,
  life,
  punctual,
  type Simulation,
  settings,
  simulate,
  throttled,
} from '../simulation.ts';

/** Of a page that is seen or hidden, each with ticks that are no later than its slack. */
const conditions = fc.oneof(
  fc.record({ hidden: fc.constant(false), lateness: punctual }),
  fc.record({ hidden: fc.constant(true), lateness: throttled }),
);
const news = happenings('receive', 'sent', 'pong', 'ping', 'ask', 'probe', 'buffered', 'adopt');

/** The bound holds for silence; a peer that is `one-way` is not silent. */
function expectWithinBound({ death, bound }: Simulation, more = 0): void {
  if (death === undefined || death.reason === 'one-way') return;
  expect(death.silentFor).toBeLessThanOrEqual(bound + more);
}

describe('law 14: the bound is published', () => {
  it('is never exceeded while no timer is later than the slack', () => {
    fc.assert(
      fc.property(jittered, life, conditions, (options, events, world) => {
        expectWithinBound(simulate(options, events, world, 500_000));
      }),
      settings,
    );
  });

  it('is never exceeded whatever the peer advertises and however much is queued', () => {
    fc.assert(
      fc.property(jittered, news, conditions, (options, events, world) => {
        const simulation = simulate(options, events, world, 1_000_000);
        expectWithinBound(simulation);
        expect(simulation.death).toBeDefined();
      }),
      settings,
    );
  });

  it('is never exceeded after deaths in a row, nor where nobody answers', () => {
    const history = fc.array(fc.constantFrom('death', 'unanswered', 'answer'), { maxLength: 6 });
    const maxSilence = fc.oneof(fc.constant<false>(false), fc.integer({ min: 1, max: 200_000 }));
    fc.assert(
      fc.property(
        jittered,
        life,
        conditions,
        history,
        maxSilence,
        (given, events, world, past, most) => {
          const memory = new PeerMemory();
          for (const each of past) {
            if (each === 'answer') memory.answered(true);
            else memory.ended(each === 'death', each === 'death');
          }
          const options: HeartbeatOptions = { ...given, maxSilence: most };
          const simulation = simulate(options, events, { ...world, memory }, 1_000_000);
          expectWithinBound(simulation);
          const { heartbeat, isOpen } = simulation;
          // Without a verdict none was promised.
          if (isOpen)
            expect([heartbeat.isMuted, heartbeat.detectionBound]).toEqual([
              true,
              most || Number.POSITIVE_INFINITY,
            ]);
        },
      ),
      settings,
    );
  });

  it('grows by what the stalls took, and by a timeout for each of at most three probes', () => {
    fc.assert(
      fc.property(
        jittered,
        life,
        anyLateness,
        fc.boolean(),
        (options, events, lateness, hidden) => {
          const simulation = simulate(options, events, { lateness, hidden }, 5_000_000);
          const { log, death, unseen } = simulation;
          expect(death).toBeDefined();
          const heard = log.findLastIndex(({ type }) => type === 'received');
          const stalls = log
            .slice(heard + 1)
            .flatMap((entry) => (entry.type === 'stall' ? [entry.lateBy] : []));
          const slack = hidden ? HIDDEN_TIMER_SLACK : TIMER_SLACK;
          const probes = Math.min(3, stalls.length);
          const late = stalls.reduce((sum, each) => sum + each, unseen);
          expectWithinBound(
            simulation,
            late + probes * (options.pingTimeout + VERDICT_WAIT + 2 * slack),
          );
        },
      ),
      settings,
    );
  });

  it('is pingInterval + pingTimeout + the second look + three slacks, for the values in force', () => {
    fc.assert(
      fc.property(jittered, fc.boolean(), (options, hidden) => {
        const { heartbeat } = simulate(options, [], { hidden });
        const slack = hidden ? HIDDEN_TIMER_SLACK : TIMER_SLACK;
        const sum = options.pingInterval + options.pingTimeout + VERDICT_WAIT + 3 * slack;
        expect(heartbeat.detectionBound).toBe(sum);
      }),
      settings,
    );
  });

  it('is Infinity if pings or their timeout are off', () => {
    expect(new Heartbeat({ pingInterval: false }).detectionBound).toBe(Number.POSITIVE_INFINITY);
    expect(new Heartbeat({ pingTimeout: false }).detectionBound).toBe(Number.POSITIVE_INFINITY);
  });
});
