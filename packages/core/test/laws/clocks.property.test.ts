import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import {
  anyLateness,
  type Entry,
  happenings,
  jittered,
  life,
  Simulation,
  settings,
  simulate,
  timing,
} from '../simulation.ts';

/** The least time between a ping and one that a message brings. */
const PROBE_GAP = 900;

const isOurs = ({ type }: Entry) => type === 'sent' || type === 'ping' || type === 'pong';
const isHeard = ({ type }: Entry) => type === 'received';
const lastOf = (entries: readonly Entry[]) => entries.at(-1)?.at ?? 0;

describe('law 1: three clocks, never conflated', () => {
  it('never leaves the peer without a byte of ours for longer than pingInterval', () => {
    fc.assert(
      fc.property(jittered, life, (options, events) => {
        const { log, death, now, heartbeat } = simulate(options, events);
        const sends = [0, ...log.filter(isOurs).map((entry) => entry.at), death?.at ?? now];
        for (const [index, at] of sends.slice(1).entries()) {
          expect(at - (sends[index] ?? 0)).toBeLessThanOrEqual(options.pingInterval);
        }
        if (death === undefined) expect(heartbeat.deadline).toBeGreaterThanOrEqual(now);
      }),
      settings,
    );
  });

  it('never hears nothing for longer than pingInterval without having asked', () => {
    fc.assert(
      fc.property(jittered, life, (options, events) => {
        const { log, death, now } = simulate(options, events);
        let heard = 0;
        let asked = 0;
        for (const { at, type } of [...log, { at: death?.at ?? now, type: 'end' }]) {
          if (asked <= heard) expect(at - heard).toBeLessThanOrEqual(options.pingInterval);
          if (type === 'received') heard = at;
          if (type === 'ping') asked = at;
        }
      }),
      settings,
    );
  });

  it('pings unasked only where a direction was quiet, an answer is owed, three were skipped, or a message met silence', () => {
    fc.assert(
      fc.property(timing, life, ({ pingInterval, ...options }, events) => {
        const { log } = simulate({ ...options, pingInterval }, events);
        for (const [index, { type, cause, at }] of log.entries()) {
          if (type !== 'ping' || cause !== 'tick') continue;
          const before = log.slice(0, index);
          const quietSince = Math.min(
            lastOf(before.filter(isOurs)),
            lastOf(before.filter(isHeard)),
          );
          const asked = lastOf(before.filter((entry) => entry.type === 'ping'));
          const mayNotSkip = !before.some((entry) => entry.type === 'pong');
          const isDue = at - quietSince >= pingInterval;
          const heard = lastOf(before.filter(isHeard));
          const message = before.find((entry) => entry.type === 'sent' && entry.at >= heard);
          const probeAfter = options.probeAfter || Number.POSITIVE_INFINITY;
          const metSilence = message !== undefined && message.at - heard >= probeAfter;
          const wait = metSilence ? 0 : probeAfter / 2;
          const isProbe = message && at - message.at >= wait && at - asked >= PROBE_GAP;
          const isSkipped = mayNotSkip && at - asked >= 4 * pingInterval;
          expect(isDue || isOwed(before) || isSkipped || isProbe).toBe(true);
        }
      }),
      settings,
    );
  });

  it('skips no more than three pings running towards a peer that has sent none', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const shares = fc.array(share, { minLength: 20, maxLength: 60 });
    fc.assert(
      fc.property(jittered, shares, (options, all) => {
        const simulation = new Simulation(options);
        for (const share of all) {
          simulation.tickUntil(simulation.now + Math.floor(share * options.pingInterval));
          if (!simulation.isOpen) break;
          for (const input of ['receive', 'sent', 'pong'] as const) simulation.happen(input, 100);
        }
        const { pings, death, now } = simulation;
        const times = [0, ...pings.map(({ at }) => at), death?.at ?? now];
        for (const [index, at] of times.slice(1).entries()) {
          const apart = at - (times[index] ?? 0);
          expect(apart).toBeLessThanOrEqual(4 * options.pingInterval + 1e-6); // fractions round
        }
      }),
      settings,
    );
  });

  it('finds a silent peer dead however much is sent to it', () => {
    fc.assert(
      fc.property(jittered, happenings('sent', 'ask'), (options, events) => {
        const { death, bound } = simulate(options, events, {}, 1_000_000);
        expect(death?.reason).toBe('ping-timeout');
        expect(death?.at).toBeLessThanOrEqual(bound);
      }),
      settings,
    );
  });
});

/** Whether a ping is out that is newer than the newest that was answered. */
function isOwed(log: readonly Entry[]): boolean {
  const newest = log.reduce((seq, entry) => (entry.type === 'ping' ? entry.seq : seq), 0);
  const answered = log.reduce(
    (seq, entry) => (entry.type === 'received' ? (entry.answer?.seq ?? seq) : seq),
    0,
  );
  return newest > answered;
}

describe('law 12: time is monotonic', () => {
  it('judges by differences of time alone: the hour of the day changes nothing', () => {
    const origin = fc.integer({ min: 0, max: 2 ** 45 });
    const all = happenings('receive', 'sent', 'pong', 'ping', 'ask', 'probe', 'adopt', 'state');
    fc.assert(
      fc.property(timing, all, anyLateness, origin, (options, events, lateness, start) => {
        const here = simulate(options, events, { lateness }, 200_000);
        const there = simulate(options, events, { lateness, start }, 200_000);
        expect(there.log.map((entry) => ({ ...entry, at: entry.at - start }))).toEqual(here.log);
        expect(there.heartbeat.deadline - start).toBe(here.heartbeat.deadline);
      }),
      settings,
    );
  });

  it('stands still where the clock is set back, and no verdict changes', () => {
    const jumps = fc.array(fc.integer({ min: 0, max: 1e13 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(jittered, life, anyLateness, jumps, (options, events, lateness, back) => {
        const plain = simulate(options, events, { lateness });
        const jumpy = new Simulation(options, { lateness });
        for (const [index, event] of events.entries()) {
          jumpy.tickUntil(jumpy.now + event.after);
          if (!jumpy.isOpen) break;
          const earlier = jumpy.now - (back[index % back.length] ?? 0);
          const isDue = jumpy.heartbeat.deadline <= jumpy.now;
          if (!isDue) expect(jumpy.heartbeat.tick(earlier)).toEqual([]);
          jumpy.run([{ ...event, after: 0 }]);
        }
        expect(jumpy.log).toEqual(plain.log);
        expect(jumpy.heartbeat.deadline).toBe(plain.heartbeat.deadline);
      }),
      settings,
    );
  });

  it('takes an instant that lies back, or is none, for the latest it was told', () => {
    const act = fc.constantFrom('tick', 'ping', 'suspend', 'resume', 'open', 'close');
    const at = fc.oneof(fc.integer({ min: -1_000, max: 200_000 }), fc.constant(Number.NaN));
    fc.assert(
      fc.property(jittered, fc.array(fc.tuple(act, at), { maxLength: 40 }), (options, inputs) => {
        const [given, told] = [new Heartbeat(options), new Heartbeat(options)];
        let latest = 0;
        for (const [name, now] of inputs) {
          if (now > latest) latest = now;
          expect(given[name](now)).toEqual(told[name](latest));
          expect([given.deadline, given.status]).toEqual([told.deadline, told.status]);
        }
      }),
      settings,
    );
  });

  it('does nothing at an early or repeated tick', () => {
    fc.assert(
      fc.property(jittered, life, anyLateness, (options, events, lateness) => {
        const { heartbeat, now } = simulate(options, events, { lateness });
        const before = [heartbeat.status, heartbeat.deadline];
        if (heartbeat.deadline <= now) return;
        expect(heartbeat.tick(now)).toEqual([]);
        expect(heartbeat.tick(Math.min(heartbeat.deadline, 2 ** 40) - 1)).toEqual([]);
        expect([heartbeat.status, heartbeat.deadline]).toEqual(before);
      }),
      settings,
    );
  });
});
