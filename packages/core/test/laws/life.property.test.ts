import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { TIMER_SLACK } from '../../src/machine/timing.ts';
import {
  anyLateness,
  type Happening,
  happenings,
  jittered,
  life,
  punctual,
  type Settings,
  Simulation,
  settings,
  simulate,
  timing,
} from '../simulation.ts';

describe('law 3: any bytes received after a ping lift its death sentence', () => {
  it('times out only after pingTimeout without a byte', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { log, death } = simulate(options, events, { lateness }, 500_000);
        if (death?.reason !== 'ping-timeout') return;
        const heard = log.filter(({ type }) => type === 'received').at(-1)?.at ?? 0;
        expect(death.at - heard).toBeGreaterThanOrEqual(options.pingTimeout);
        expect(death.silentFor).toBe(death.at - heard);
      }),
      settings,
    );
  });

  it('is alive with each byte, suspected or not', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const simulation = new Simulation(options, { lateness }).run(events);
        if (!simulation.isOpen) return;
        simulation.happen('receive');
        expect(simulation.heartbeat.status).toBe('alive');
        simulation.tickUntil(simulation.now + options.pingTimeout + VERDICT_WAIT);
        expect(simulation.death?.reason).not.toBe('ping-timeout');
      }),
      settings,
    );
  });

  it('calls a peer that sends one-way after three periods of pings in vain, if it ever answered', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { log, death } = simulate(options, events, { lateness }, 500_000);
        if (death?.reason !== 'one-way') return;
        const answers = log.flatMap((entry) =>
          entry.type === 'received' ? (entry.answer?.seq ?? []) : [],
        );
        expect(answers).not.toEqual([]);
        const inVain = log.filter(
          (entry) => entry.type === 'ping' && entry.seq > Math.max(...answers),
        );
        const periods = 3 * (options.pingInterval + options.pingTimeout);
        expect(death.at - (inVain[0]?.at ?? 0)).toBeGreaterThanOrEqual(periods);
      }),
      settings,
    );
  });

  it('finds it one-way then: a peer that has answered once and sends on is dead in time', () => {
    const gap = fc.integer({ min: 100, max: 20_000 });
    fc.assert(
      fc.property(jittered, punctual, gap, (options, lateness, apart) => {
        const simulation = new Simulation(options, { lateness });
        simulation.happen('ask');
        simulation.happen('pong');
        const owedBy = options.pingInterval * 4 + TIMER_SLACK; // up to three pings are skipped
        const periods = 3 * (options.pingInterval + options.pingTimeout);
        const end = owedBy + periods + VERDICT_WAIT + 2 * TIMER_SLACK + 1;
        const gaps = Math.min(apart, options.pingTimeout);
        while (simulation.isOpen && simulation.now < end) {
          simulation.tickUntil(Math.min(end, simulation.now + gaps));
          if (simulation.isOpen) simulation.happen('receive');
        }
        expect(simulation.death?.reason).toBe('one-way');
      }),
      settings,
    );
  });
});

describe('law 4: inbound progress is life, outbound draining never is', () => {
  const crowded = happenings('sent', 'ask', 'probe', 'buffered');

  it('gives the same verdict at the same time, however much is queued and drains', () => {
    const all = happenings('receive', 'sent', 'pong', 'ask', 'probe', 'buffered');
    const bytes = fc.array(fc.nat(1e9), { minLength: 1 });
    fc.assert(
      fc.property(jittered, all, anyLateness, bytes, (options, events, lateness, drained) => {
        const other = events.map(
          (event, index): Happening =>
            event.type === 'buffered' && event.value % 2 === 1
              ? { ...event, value: 1 + 2 * (drained[index % drained.length] ?? 0) }
              : event,
        );
        const one = simulate(options, events, { lateness }, 500_000);
        expect(simulate(options, other, { lateness }, 500_000).log).toEqual(one.log);
      }),
      settings,
    );
  });

  it('defers a ping behind queued bytes, by five timeouts in all and no more', () => {
    fc.assert(
      fc.property(jittered, punctual, fc.boolean(), (options, lateness, asked) => {
        const simulation = new Simulation(options, { lateness });
        simulation.happen('buffered', 1);
        if (asked) simulation.happen('ask');
        simulation.tickUntil(1_000_000);
        const { death, pings } = simulation;
        const waited = (death?.at ?? 0) - (pings[0]?.at ?? 0);
        const deferred = 5 * options.pingTimeout + VERDICT_WAIT;
        expect(waited).toBeGreaterThanOrEqual(deferred);
        expect(waited).toBeLessThanOrEqual(deferred + 2 * TIMER_SLACK);
      }),
      settings,
    );
  });

  it('gives a ping that was queued its whole timeout from when the queue was seen to be empty', () => {
    fc.assert(
      fc.property(jittered, crowded, punctual, (options, events, lateness) => {
        const simulation = new Simulation(options, { lateness });
        simulation.happen('buffered', 1);
        simulation.happen('ask');
        simulation.run(events.filter(({ type }) => type !== 'buffered'));
        const drainedAt = simulation.now;
        if (!simulation.isOpen || drainedAt >= 4 * options.pingTimeout - TIMER_SLACK) return;
        simulation.happen('buffered', 0);
        simulation.tickUntil(1_000_000);
        const least = options.pingTimeout + VERDICT_WAIT;
        expect((simulation.death?.at ?? 0) - drainedAt).toBeGreaterThanOrEqual(least);
      }),
      settings,
    );
  });

  it('does not pile up pings in a clogged buffer', () => {
    fc.assert(
      fc.property(jittered, crowded, punctual, (options, events, lateness) => {
        const stuck = events.filter(({ type }) => type !== 'buffered');
        const simulation = new Simulation(options, { lateness });
        simulation.happen('buffered', 1);
        simulation.run(stuck);
        simulation.tickUntil(1_000_000);
        // The one that is due, and the bare one beside the first, for who does not know that.
        const unasked = simulation.pings.filter(({ cause }) => cause === 'tick');
        const hints = stuck.filter(({ type }) => type === 'probe'); // each may suspect anew
        expect(unasked.length).toBeLessThanOrEqual(2 + hints.length);
      }),
      settings,
    );
  });

  it('doubles pingTimeout with each death in a row, up to 60 s, until a punctual pong', () => {
    const delay = fc.oneof(fc.constant(undefined), fc.double({ min: 0, max: 3, noNaN: true }));
    fc.assert(
      fc.property(timing, fc.array(delay, { maxLength: 10 }), (options, delays) => {
        const memory = new PeerMemory();
        memory.answered(true);
        let deaths = 0;
        for (const share of delays) {
          const simulation = new Simulation(options, { memory });
          const stretched = Math.min(options.pingTimeout * 2 ** deaths, 60_000);
          expect(simulation.heartbeat.pingTimeout).toBe(Math.max(options.pingTimeout, stretched));
          if (share !== undefined) {
            simulation.happen('ask');
            simulation.tickUntil(share * options.pingTimeout);
            if (simulation.isOpen) {
              simulation.happen('pong');
              if (simulation.now <= options.pingTimeout) deaths = 0;
            }
          }
          simulation.tickUntil(1_000_000);
          // A second connection in a row without an answer is no death: law 11.
          if (simulation.death === undefined) return;
          deaths += 1;
        }
      }),
      settings,
    );
  });
});

describe('law 5: one lost pong never stops the schedule', () => {
  it('pings on while bytes come, though no pong ever does', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(jittered, share, (options, after) => {
        const simulation = new Simulation(options);
        expectSteadyPings(simulation, options, () => ({ after, isLost: true }));
        expect(simulation.heartbeat.status).toBe('alive');
      }),
      settings,
    );
  });

  it('never kills alone: whichever two pongs of three are lost, if other bytes come', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const fate = fc.record({ after: share, isLost: fc.boolean() });
    fc.assert(
      fc.property(jittered, fc.array(fate, { minLength: 1 }), (options, fates) => {
        const simulation = new Simulation(options);
        let lost = 0;
        expectSteadyPings(simulation, options, (index) => {
          const { after, isLost } = fates[index % fates.length] ?? { after: 0, isLost: false };
          lost = isLost && lost < 2 ? lost + 1 : 0;
          return { after, isLost: lost > 0 };
        });
        expect(simulation.heartbeat.status).toBe('alive');
      }),
      settings,
    );
  });
});

/** Lets something come within pingTimeout of each ping: its pong, or other bytes in its place. */
function expectSteadyPings(
  simulation: Simulation,
  { pingInterval, pingTimeout }: Settings,
  fateOf: (index: number) => { readonly after: number; readonly isLost: boolean },
): void {
  const { heartbeat } = simulation;
  for (let index = 0; index < 20; index += 1) {
    const before = simulation.pings.length;
    const due = (simulation.pings.at(-1)?.at ?? 0) + pingInterval;
    while (simulation.pings.length === before) {
      expect(heartbeat.deadline).toBeLessThanOrEqual(due);
      simulation.tickUntil(heartbeat.deadline + 0.001);
    }
    const { after, isLost } = fateOf(index);
    simulation.tickUntil(simulation.now + after * pingTimeout);
    simulation.happen(isLost ? 'receive' : 'pong', simulation.pings.length);
  }
}
