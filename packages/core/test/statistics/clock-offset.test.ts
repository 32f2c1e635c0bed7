import { describe, expect, it } from 'vitest';
import { type ClockExchange, ClockOffset } from '../../src/statistics/clock-offset.ts';

const EPOCH = Date.UTC(2026, 0, 1);
const PRECISION = 1;

/** An exchange over a link of these delays with a peer that is `ahead` and answers after `held`. */
function exchange(options: {
  readonly at?: number;
  readonly there: number;
  readonly back: number;
  readonly ahead?: number;
  readonly held?: number;
}): ClockExchange {
  const { at = 0, there, back, ahead = 0, held = 0 } = options;
  const sent = EPOCH + at;
  const peerReceived = sent + there + ahead;
  return {
    sent,
    peerReceived,
    peerSent: peerReceived + held,
    received: sent + there + held + back,
  };
}

function sampled(...exchanges: readonly ClockExchange[]): ClockOffset {
  const clock = new ClockOffset();
  for (const each of exchanges) clock.sample(each);
  return clock;
}

describe('ClockOffset', () => {
  it('knows nothing until the first sample', () => {
    expect(new ClockOffset()).toMatchObject({
      offset: undefined,
      delay: undefined,
      error: undefined,
    });
  });

  it('is positive if the peer is ahead, and negative if it is behind', () => {
    expect(sampled(exchange({ there: 20, back: 20, ahead: 5_000 })).offset).toBe(5_000);
    expect(sampled(exchange({ there: 20, back: 20, ahead: -5_000 })).offset).toBe(-5_000);
  });

  it('leaves the time that the peer took for its answer out of the delay', () => {
    const clock = sampled(exchange({ there: 20, back: 20, held: 3_000 }));
    expect(clock.delay).toBe(40);
    expect(clock.offset).toBe(0);
  });

  it('is wrong by half the delay and the precision of the clocks at most', () => {
    const { error } = sampled(exchange({ there: 20, back: 20 }));
    expect(error).toBeCloseTo(20 + PRECISION, 2);
  });

  it('allows for a drift of 15 ppm while the peer holds the answer', () => {
    const { error } = sampled(exchange({ there: 0, back: 0, held: 1_000_000 }));
    expect(error).toBeCloseTo(PRECISION + 15, 6);
  });

  describe('the filter', () => {
    it('takes the least delayed of the samples, in any order', () => {
      const quick = exchange({ there: 5, back: 5, ahead: 100 });
      const slow = exchange({ at: 1_000, there: 50, back: 10, ahead: 100 });
      expect(sampled(quick, slow)).toMatchObject({ offset: 100, delay: 10 });
      expect(sampled(slow, quick)).toMatchObject({ offset: 100, delay: 10 });
    });

    it('takes the newest of several that are delayed alike', () => {
      const older = exchange({ there: 10, back: 30 });
      const newer = exchange({ at: 1_000, there: 30, back: 10 });
      expect(sampled(older, newer).offset).toBe(10);
    });

    it('forgets a sample when eight newer ones have come', () => {
      const clock = sampled(exchange({ there: 5, back: 5, ahead: 100 }));
      for (let at = 1; at <= 7; at += 1)
        clock.sample(exchange({ at, there: 30, back: 30 + at, ahead: 100 }));
      expect(clock.delay).toBe(10);
      clock.sample(exchange({ at: 8, there: 40, back: 40, ahead: 100 }));
      expect(clock.delay).toBe(61);
    });

    it('trusts a sample less the older it is', () => {
      const quick = exchange({ there: 5, back: 5 });
      const later = exchange({ at: 1_000_000, there: 100, back: 100 });
      const clock = sampled(quick, later);
      expect(clock.delay).toBe(10);
      expect(clock.error).toBeCloseTo(5 + PRECISION + 15, 1);
    });

    it('trusts it less also where the instants run backwards', () => {
      const quick = exchange({ at: 1_000_000, there: 5, back: 5 });
      const clock = sampled(quick, exchange({ there: 100, back: 100 }));
      expect(clock.error).toBeCloseTo(5 + PRECISION + 15, 1);
    });
  });

  describe('a clock that is set', () => {
    it('is believed at the next sample, forward and backward', () => {
      for (const ahead of [3_600_000, -3_600_000]) {
        const before = exchange({ there: 5, back: 5 });
        const after = exchange({ at: 25_000, there: 20, back: 20, ahead });
        expect(sampled(before, after)).toMatchObject({ offset: ahead, delay: 40 });
      }
    });

    it('is believed if it was ours, whatever that does to the age of the samples', () => {
      for (const jump of [3_600_000, -3_600_000]) {
        const before = exchange({ there: 5, back: 5 });
        const after = exchange({ at: 25_000 + jump, there: 20, back: 20, ahead: -jump });
        expect(sampled(before, after)).toMatchObject({ offset: -jump, delay: 40 });
      }
    });

    it('makes the samples from before invalid for good', () => {
      const clock = sampled(exchange({ there: 5, back: 5 }));
      clock.sample(exchange({ at: 1_000, there: 20, back: 20, ahead: 500 }));
      clock.sample(exchange({ at: 2_000, there: 300, back: 300, ahead: 500 }));
      expect(clock).toMatchObject({ offset: 500, delay: 40 });
    });

    it('is noticed if the difference is just more than both samples allow', () => {
      const before = exchange({ there: 5, back: 5 });
      // each sample may be wrong by 6 ms, and a little for drift
      expect(sampled(before, exchange({ there: 6, back: 6, ahead: 12 })).offset).toBe(0);
      expect(sampled(before, exchange({ there: 6, back: 6, ahead: 14 })).offset).toBe(14);
    });
  });

  describe('a sample that cannot have been', () => {
    const good = exchange({ there: 10, back: 10, ahead: 50 });
    const never = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const names = ['sent', 'peerReceived', 'peerSent', 'received'] as const;

    it.each(names)('is passed over if `%s` is no number', (name) => {
      for (const value of never) {
        const clock = sampled({ ...good, [name]: value }, good, { ...good, [name]: value });
        expect(clock).toMatchObject({ offset: 50, delay: 20 });
        expect(clock.error).toBeCloseTo(10 + PRECISION, 2);
      }
    });

    it('is passed over if all of it is no number', () => {
      for (const value of never) {
        const [sent, peerReceived, peerSent, received] = [value, value, value, value];
        expect(sampled({ sent, peerReceived, peerSent, received }).offset).toBeUndefined();
      }
    });

    it('is passed over if the numbers are too large to be told apart', () => {
      const huge = Number.MAX_VALUE;
      const clock = sampled({ sent: -huge, peerReceived: huge, peerSent: huge, received: huge });
      expect(clock.offset).toBeUndefined();
    });

    it('is passed over if it was answered before it came in', () => {
      expect(sampled({ ...good, peerSent: good.peerReceived - 1 }).offset).toBeUndefined();
    });

    it('is passed over if the answer took less than no time, beyond rounding', () => {
      const { sent } = good;
      const back = (by: number) => sampled({ sent, peerReceived: 0, peerSent: by, received: sent });
      expect(back(2)).toMatchObject({ delay: 0 });
      expect(back(2.1).delay).toBeUndefined();
    });
  });

  it('calls a delay that rounding made negative none', () => {
    const { sent } = exchange({ there: 0, back: 0 });
    const clock = sampled({ sent, peerReceived: sent, peerSent: sent + 1, received: sent });
    expect(clock.delay).toBe(0);
    expect(clock.error).toBe(PRECISION);
  });

  it('begins anew after a reset', () => {
    const clock = sampled(exchange({ there: 5, back: 5, ahead: 100 }));
    clock.reset();
    expect([clock.offset, clock.delay, clock.error]).toEqual([undefined, undefined, undefined]);
    clock.sample(exchange({ at: 1_000, there: 50, back: 50, ahead: 120 }));
    expect(clock).toMatchObject({ offset: 120, delay: 100 });
  });
});
