import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import {
  type AdvertisedTiming,
  adoptTiming,
  answerTimeout,
  drawInterval,
  initialTiming,
  type PeerState,
  timingInForce,
} from '../../src/machine/timing.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../../src/options.ts';
import { RUNS } from '../simulation.ts';

const OFF = Number.POSITIVE_INFINITY;
const timing = (options: HeartbeatOptions = {}) => initialTiming(resolveHeartbeatOptions(options));

describe('adoptTiming', () => {
  it('takes an advertised pingInterval in place of the default, clamped to 1 s to 120 s', () => {
    const adopted = [45_000, 1, 1_000_000].map(
      (pingInterval) => adoptTiming(timing(), { pingInterval }).pingInterval,
    );
    expect(adopted).toEqual([45_000, 1_000, 120_000]);
  });

  it('never exceeds a pingInterval that was given', () => {
    const given = timing({ pingInterval: 20_000 });
    expect(adoptTiming(given, { pingInterval: 45_000 }).pingInterval).toBe(20_000);
    expect(adoptTiming(given, { pingInterval: 5_000 }).pingInterval).toBe(5_000);
  });

  it('only raises pingTimeout, to at most 60 s', () => {
    const adopted = [5_000, 30_000, 1_000_000].map(
      (pingTimeout) => adoptTiming(timing({ pingTimeout: 10_000 }), { pingTimeout }).pingTimeout,
    );
    expect(adopted).toEqual([10_000, 30_000, 60_000]);
  });

  it('lowers a raised pingTimeout again, but not below the option', () => {
    const raised = adoptTiming(timing({ pingTimeout: 10_000 }), { pingTimeout: 30_000 });
    expect(adoptTiming(raised, { pingTimeout: 20_000 }).pingTimeout).toBe(20_000);
    expect(adoptTiming(raised, { pingTimeout: 1_000 }).pingTimeout).toBe(10_000);
  });

  it('leaves off what is off', () => {
    const off = timing({ pingInterval: false, pingTimeout: false });
    const adopted = adoptTiming(off, { pingInterval: 5_000, pingTimeout: 5_000 });
    expect([adopted.pingInterval, adopted.pingTimeout]).toEqual([OFF, OFF]);
  });

  it('leaves as it is what is absent, or no duration', () => {
    const before = adoptTiming(timing(), { pingInterval: 45_000, pingTimeout: 30_000 });
    for (const pingInterval of [undefined, Number.NaN, OFF]) {
      const after = adoptTiming(before, { pingInterval, pingTimeout: Number.NaN });
      expect([after.pingInterval, after.pingTimeout]).toEqual([45_000, 30_000]);
    }
    expect(adoptTiming(before, { pingInterval: -5 }).pingInterval).toBe(1_000);
  });
});

describe('answerTimeout', () => {
  it('gives a hidden peer 75 s, a frozen one for ever', () => {
    const visible = timing({ pingTimeout: 10_000 });
    expect(answerTimeout(visible)).toBe(10_000);
    expect(answerTimeout({ ...visible, peerState: 'hidden' })).toBe(75_000);
    expect(answerTimeout({ ...visible, peerState: 'frozen' })).toBe(OFF);
  });

  it('gives a hidden peer no less than pingTimeout', () => {
    const patient = { ...timing({ pingTimeout: 90_000 }), peerState: 'hidden' } as const;
    expect(answerTimeout(patient)).toBe(90_000);
  });
});

describe('drawInterval', () => {
  it('takes jitter away in whole ms, and never adds any', () => {
    const draw = (chance: number) =>
      drawInterval(timing({ pingInterval: 1_000, jitter: 0.2, random: () => chance }));
    expect([draw(0), draw(0.5), draw(0.999)]).toEqual([1_000, 900, 801]);
  });

  it('leaves the end of a period to whoever places the pings of a server', () => {
    const place = (pingInterval: number) => pingInterval - 7;
    expect(drawInterval({ ...timing({ pingInterval: 1_000, jitter: 0.2 }), place })).toBe(993);
  });

  it('does not ask chance without jitter', () => {
    const random = () => {
      throw new Error('asked');
    };
    expect(drawInterval(timing({ pingInterval: 1_000, random }))).toBe(1_000);
  });
});

describe('timingInForce', () => {
  it('is the base itself while the peer has changed nothing', () => {
    const base = timing();
    expect(timingInForce(base, {}, 'visible')).toBe(base);
    const hidden = timingInForce(base, {}, 'hidden');
    expect(timingInForce(hidden.base ?? hidden, hidden.advertised, 'visible')).toBe(base);
  });

  it('is a function of the last values, after any sequence of changes', () => {
    const interval = fc.option(fc.constantFrom(500, 5_000, 45_000, 1e6, Number.NaN), {
      nil: undefined,
    });
    const step = fc.oneof(
      fc.record({ advertised: fc.record({ pingInterval: interval, pingTimeout: interval }) }),
      fc.record({ state: fc.constantFrom<PeerState>('visible', 'hidden', 'frozen') }),
      fc.record({
        asks: fc.record({
          pingInterval: fc.constantFrom(1_000, 60_000, OFF),
          pingTimeout: fc.constantFrom(500, 30_000),
        }),
      }),
      fc.record({ slack: fc.constantFrom(250, 2_250) }),
    );
    const options = fc.constantFrom<HeartbeatOptions>({}, { pingInterval: 20_000 });
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 20 }), (given, steps) => {
        let base = timing(given);
        let advertised: AdvertisedTiming = {};
        let state: PeerState = 'visible';
        const heartbeat = new Heartbeat(base);
        heartbeat.open(0);
        for (const change of steps) {
          if ('advertised' in change) {
            heartbeat.adopt(change.advertised);
            const { pingInterval, pingTimeout } = change.advertised;
            advertised = {
              pingInterval: Number.isFinite(pingInterval) ? pingInterval : advertised.pingInterval,
              pingTimeout: Number.isFinite(pingTimeout) ? pingTimeout : advertised.pingTimeout,
            };
          } else if ('state' in change) {
            state = change.state;
            heartbeat.setPeerState(state);
          } else if ('asks' in change) {
            base = { ...base, ...change.asks };
            heartbeat.rebase(base);
          } else {
            base = { ...base, timerSlack: change.slack };
            heartbeat.timerSlack = change.slack;
          }
          const expected = timingInForce(base, advertised, state);
          expect(heartbeat.pingInterval).toBe(expected.pingInterval);
          expect(heartbeat.pingTimeout).toBe(answerTimeout(expected));
          expect(heartbeat.timerSlack).toBe(expected.timerSlack);
          if (state === 'frozen') expect(heartbeat.deadline).toBe(OFF);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
