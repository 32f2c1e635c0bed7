import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from '../../src/machine/heartbeat.ts';
import {
  type AdvertisedTiming,
  answerTimeout,
  drawInterval,
  initialTiming,
  type PeerState,
  type Timing,
} from '../../src/machine/timing.ts';
import { type HeartbeatOptions, resolveHeartbeatOptions } from '../../src/options.ts';
import { inPage } from '../in-page.ts';
import { RUNS } from '../simulation.ts';

const OFF = Number.POSITIVE_INFINITY;
const timing = (options: HeartbeatOptions = {}) => initialTiming(resolveHeartbeatOptions(options));

/** The machine of an open connection whose peer has advertised all this. */
function adopted(options: HeartbeatOptions, ...advertised: AdvertisedTiming[]): Heartbeat {
  const heartbeat = new Heartbeat(options);
  heartbeat.open(0);
  for (const one of advertised) heartbeat.adopt(one);
  return heartbeat;
}

describe('the timing that a peer advertises', () => {
  it('takes a pingInterval in place of the default, clamped to 1 s to 120 s', () => {
    const intervals = [45_000, 1, 1_000_000].map(
      (pingInterval) => adopted({}, { pingInterval }).pingInterval,
    );
    expect(intervals).toEqual([45_000, 1_000, 120_000]);
  });

  it('never exceeds a pingInterval that was given', () => {
    const given = { pingInterval: 20_000 };
    expect(adopted(given, { pingInterval: 45_000 }).pingInterval).toBe(20_000);
    expect(adopted(given, { pingInterval: 5_000 }).pingInterval).toBe(5_000);
  });

  it('only raises pingTimeout, to at most 60 s', () => {
    const timeouts = [5_000, 30_000, 1_000_000].map(
      (pingTimeout) => adopted({ pingTimeout: 10_000 }, { pingTimeout }).pingTimeout,
    );
    expect(timeouts).toEqual([10_000, 30_000, 60_000]);
  });

  it('lowers a raised pingTimeout again, but not below the option', () => {
    const given = { pingTimeout: 10_000 };
    const raised = { pingTimeout: 30_000 };
    expect(adopted(given, raised, { pingTimeout: 20_000 }).pingTimeout).toBe(20_000);
    expect(adopted(given, raised, { pingTimeout: 1_000 }).pingTimeout).toBe(10_000);
  });

  it('leaves off what is off', () => {
    const off = { pingInterval: false, pingTimeout: false } as const;
    const heartbeat = adopted(off, { pingInterval: 5_000, pingTimeout: 5_000 });
    expect([heartbeat.pingInterval, heartbeat.pingTimeout]).toEqual([OFF, OFF]);
  });

  it('ignores what is absent or no number', () => {
    const before = { pingInterval: 45_000, pingTimeout: 30_000 };
    for (const pingInterval of [undefined, Number.NaN, OFF, -OFF]) {
      const after = adopted({}, before, { pingInterval, pingTimeout: Number.NaN });
      expect([after.pingInterval, after.pingTimeout]).toEqual([45_000, 30_000]);
    }
    expect(adopted({}, before, { pingInterval: -5 }).pingInterval).toBe(1_000);
  });
});

describe('answerTimeout', () => {
  it('gives a hidden peer 75 s, a frozen one for ever', () => {
    expect(answerTimeout(10_000, 'visible')).toBe(10_000);
    expect(answerTimeout(10_000, 'hidden')).toBe(75_000);
    expect(answerTimeout(10_000, 'frozen')).toBe(OFF);
  });

  it('gives a hidden peer no less than pingTimeout', () => {
    expect(answerTimeout(90_000, 'hidden')).toBe(90_000);
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

/** The timing in force, by its definition. */
function inForce(base: Timing, { pingInterval: asked, pingTimeout: raised }: AdvertisedTiming) {
  const clamp = (value: number, max: number) => Math.min(Math.max(value, 1_000), max);
  const isAsked = asked !== undefined && base.pingInterval < OFF;
  return {
    pingInterval: isAsked ? Math.min(clamp(asked, 120_000), base.maxInterval) : base.pingInterval,
    pingTimeout: Math.max(base.pingTimeout, raised === undefined ? 0 : clamp(raised, 60_000)),
  };
}

describe('the timing in force', () => {
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
          const expected = inForce(base, advertised);
          expect(heartbeat.pingInterval).toBe(expected.pingInterval);
          expect(heartbeat.pingTimeout).toBe(answerTimeout(expected.pingTimeout, state));
          expect(heartbeat.timerSlack).toBe(base.timerSlack);
          if (state === 'frozen') expect(heartbeat.deadline).toBe(OFF);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('in a bundle for pages', () => {
  it('waits pingTimeout for an answer, because a server is never hidden', async () => {
    const page = await inPage(() => import('../../src/machine/timing.ts'));
    expect(page.answerTimeout(10_000, 'frozen')).toBe(10_000);
  });
});
