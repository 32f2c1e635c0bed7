import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeartbeatOptions } from '../src/options.ts';
import type { PathOptions } from '../src/testing/link.ts';
import { seededRandom } from '../src/testing/random.ts';
import type { Instant, Millis } from '../src/time.ts';
import { Pair, TIMING } from './pair.ts';
import { RUNS } from './simulation.ts';

const HOUR = 3_600_000;
/** 20 000 schedules of two machines take more than the usual 5 s. */
const LIMIT = 120_000;

/** Every second or so of two periods, and closely around the first ping. */
const MOMENTS: readonly Instant[] = [
  ...Array.from({ length: 60 }, (_, index) => index * 997),
  ...Array.from({ length: 60 }, (_, index) => 24_700 + index * 10),
];

describe('an idle connection', () => {
  it('has one beat, that of the end whose time comes first', () => {
    const pair = new Pair({ far: { ...TIMING, pingInterval: 30_000 } });
    pair.time.advance(HOUR);
    expect([pair.near.pings, pair.far.pings]).toEqual([HOUR / 25_000, 0]);
    pair.expectLife();
  });

  it('has one beat, whichever end that is', () => {
    const pair = new Pair({ near: { ...TIMING, pingInterval: 30_000 } });
    pair.time.advance(HOUR);
    expect([pair.near.pings, pair.far.pings]).toEqual([0, HOUR / 25_000]);
  });

  it('has hardly more where both have the same interval, once jitter has parted them', () => {
    const near = { ...TIMING, jitter: 0.1, random: seededRandom(1) };
    const far = { ...TIMING, jitter: 0.1, random: seededRandom(2) };
    const pair = new Pair({ near, far });
    pair.time.advance(24 * HOUR);
    const beats = pair.near.pings + pair.far.pings;
    expect(beats).toBeLessThan(1.02 * ((24 * HOUR) / (0.9 * 25_000)));
    expect(beats).toBeGreaterThanOrEqual((24 * HOUR) / 25_000);
  });

  it('passes to the other end while one is frozen, and back', () => {
    const patient = { pingInterval: 30_000, pingTimeout: 60_000 };
    const pair = new Pair({ far: patient });
    pair.time.advance(100_000);
    pair.near.end.freeze();
    pair.time.advance(40_000);
    const asked = pair.far.pings;
    expect(asked).toBeGreaterThan(0);
    pair.near.end.thaw();
    pair.time.advance(HOUR);
    expect(pair.far.pings).toBe(asked);
    pair.expectLife();
  });
});

describe('a busy connection', () => {
  it('has no beat: messages both ways prove as much', () => {
    const pair = new Pair();
    for (const { driver } of pair.sides) void driver.ping(); // so that both know of skips
    for (let at = 0; at < HOUR; at += 10_000) {
      for (const side of pair.sides) side.say();
      pair.time.advance(10_000);
    }
    expect([pair.near.pings, pair.far.pings]).toEqual([1, 1]);
    pair.expectLife();
  });
});

describe('a half-open connection', () => {
  it('is found by both ends within their bounds, and 20 pingIntervals take no time', () => {
    const started = performance.now();
    for (const half of [0, 1] as const) {
      const pair = new Pair();
      pair.time.advance(60_000);
      pair.link.ends[half].path.cut = true;
      pair.time.advance(20 * TIMING.pingInterval);
      pair.expectDeath();
    }
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('is found by the end that still hears the other as soon as that has fallen silent', () => {
    const pair = new Pair();
    pair.time.advance(60_000);
    pair.near.end.path.cut = true; // near hears far, far does not hear near
    pair.time.advance(20 * TIMING.pingInterval);
    expect(pair.near.heardAt).toBeGreaterThan(pair.far.heardAt);
    expect(pair.near.silentFor).toBeDefined();
  });

  it('is found by an end to which the other talks on and on without an answer', () => {
    const pair = new Pair({ far: { pingInterval: false } });
    pair.time.advance(60_000);
    pair.near.end.path.cut = true;
    for (let at = 0; at < 300_000; at += 1_000) {
      pair.far.say();
      pair.time.advance(1_000);
    }
    const periods = 3 * (TIMING.pingInterval + TIMING.pingTimeout);
    expect(pair.near.isDead).toBe(true);
    expect(pair.near.heardAt).toBeLessThanOrEqual(60_000 + periods + TIMING.pingInterval + 1_000);
  });
});

describe('a connection that is cut', () => {
  it('is found by both ends, each within its bound, at whatever moment', () => {
    for (const moment of MOMENTS) {
      const pair = new Pair({ far: { pingInterval: 30_000, pingTimeout: 20_000 } });
      pair.time.advance(moment);
      pair.link.cut();
      pair.time.advance(60_000);
      pair.expectDeath();
    }
  });
});

describe('a bad connection', () => {
  it('with steady loss and jitter lives for a day', () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const path = { latency: 150, jitter: 300, loss: 0.05, random: seededRandom(seed) };
      const pair = new Pair({ path });
      pair.time.advance(24 * HOUR);
      pair.expectLife();
      expect(pair.near.pings).toBeGreaterThan(1_000);
    }
  });

  it('lives through an outage that is shorter than pingTimeout', () => {
    for (const moment of MOMENTS) {
      const pair = new Pair();
      pair.time.advance(moment);
      for (const { path } of pair.link.ends) path.loss = 1;
      pair.time.advance(4_000); // the next retransmission is 6.2 s after the first
      for (const { path } of pair.link.ends) path.loss = 0;
      pair.time.advance(120_000);
      pair.expectLife();
    }
  });
});

describe('an end that is frozen for 10 s', () => {
  it.each([0, 100])('blames nobody when it reads %i ms after its timers', (readAfter) => {
    for (const moment of MOMENTS) {
      const pair = new Pair({ far: { pingInterval: 30_000, pingTimeout: 20_000 } });
      pair.time.advance(moment);
      pair.near.end.freeze();
      pair.time.advance(10_000);
      pair.near.end.thaw(readAfter);
      pair.time.advance(120_000);
      pair.expectLife();
    }
  });

  it('is given up by a peer that has less patience', () => {
    const pair = new Pair({ far: { pingInterval: 5_000, pingTimeout: 4_000 } });
    pair.time.advance(60_000);
    pair.near.end.freeze();
    pair.time.advance(10_000);
    expect(pair.far.isDead).toBe(true);
    expect(pair.near.isDead).toBe(false);
  });
});

describe('an end that is frozen for a fifth of a second', () => {
  it('looks once more for an answer that came just in time', () => {
    for (let moment = 34_700; moment < 35_100; moment += 10) {
      const far = { pingInterval: 60_000, pingTimeout: 60_000 };
      const pair = new Pair({ far, path: { latency: 4_990 } });
      pair.time.advance(moment); // 25 000 ms: a ping is sent. 34 980 ms: its pong arrives.
      pair.near.end.freeze();
      pair.time.advance(200);
      pair.near.end.thaw(100);
      pair.time.advance(120_000);
      pair.expectLife();
    }
  });
});

describe('a wall clock that jumps', () => {
  it('changes nothing', () => {
    const run = (jump: Millis) => {
      const pair = new Pair();
      pair.time.advance(60_000);
      pair.near.end.wallClock.jump(jump);
      pair.time.advance(HOUR);
      return [pair.near.pings, pair.far.pings, pair.near.heardAt, pair.far.heardAt];
    };
    expect(run(HOUR)).toEqual(run(0));
    expect(run(-HOUR)).toEqual(run(0));
  });
});

// Whatever happens between two ends.

type Which = 'near' | 'far';
type Event = { readonly after: Millis } & (
  | { readonly type: 'say' | 'cut' | 'ask'; readonly which: Which }
  | { readonly type: 'freeze'; readonly which: Which; readonly length: Millis }
);

const which = fc.constantFrom<Which>('near', 'far');
const after = fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 40_000 }));
const calm = fc.record({ after, type: fc.constantFrom('say', 'ask'), which });
const cut = fc.record({ after, type: fc.constant('cut'), which });

/** Freezes of up to `longest`, each at least `apart` from what was before. */
function freezes(longest: Millis, apart: Millis): fc.Arbitrary<Event> {
  return fc.record({
    after: fc.integer({ min: apart, max: 40_000 }),
    type: fc.constant('freeze'),
    which,
    length: fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: longest })),
  });
}

function timing(leastTimeout: Millis): fc.Arbitrary<HeartbeatOptions> {
  return fc.record({
    pingInterval: fc.integer({ min: 1_000, max: 60_000 }),
    pingTimeout: fc.integer({ min: leastTimeout, max: leastTimeout + 30_000 }),
    jitter: fc.double({ min: 0, max: 0.2, noNaN: true }),
    random: fc.integer().map(seededRandom),
  });
}

function path(loss: number): fc.Arbitrary<PathOptions> {
  return fc.record({
    latency: fc.integer({ min: 0, max: 1_000 }),
    jitter: fc.integer({ min: 0, max: 500 }),
    loss: fc.double({ min: 0, max: loss, noNaN: true }),
    random: fc.integer().map(seededRandom),
  });
}

function happen(pair: Pair, events: readonly Event[]): void {
  for (const event of events) {
    pair.time.advance(event.after);
    const side = pair[event.which];
    if (event.type === 'freeze') {
      side.end.freeze();
      pair.time.advance(event.length);
      side.end.thaw(100);
    } else if (event.type === 'say') side.say();
    else if (event.type === 'cut') side.end.path.cut = true;
    else side.driver.ping().catch(() => {});
  }
}

describe('law 14, whatever happens between two ends', () => {
  it(
    'is never exceeded: whoever hears nothing knows it within the bound',
    () => {
      const events = fc.array(fc.oneof(calm, cut, freezes(60_000, 0)), { maxLength: 20 });
      fc.assert(
        fc.property(timing(500), timing(500), path(0.2), events, (near, far, conditions, all) => {
          const pair = new Pair({ near, far, path: conditions });
          happen(pair, all);
          pair.link.cut();
          pair.time.advance(1_000_000);
          pair.expectDeath();
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT,
  );
});

describe('laws 1 to 5, whatever happens between two ends', () => {
  it(
    'nobody dies over a link that works, however often an end is frozen',
    () => {
      const events = fc.array(fc.oneof(calm, freezes(10_000, 5_000)), { maxLength: 30 });
      const patient = timing(10_000 + 15_000); // the longest freeze, and the worst of the link
      fc.assert(
        fc.property(patient, patient, path(0.01), events, (near, far, conditions, all) => {
          const pair = new Pair({ near, far, path: conditions });
          happen(pair, all);
          pair.time.advance(300_000);
          pair.expectLife();
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT,
  );
});
