// D. Mills et al., "Network Time Protocol Version 4", RFC 5905.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockOffset } from '../../src/statistics/clock-offset.ts';
import { RUNS } from '../simulation.ts';

const settings = { numRuns: RUNS };

describe('§8: four timestamps', () => {
  // A asks at 09:00:00.000 by its clock. It takes 30 ms to B, which is 1 s and 5 ms ahead, waits
  // there for 8 ms, and takes 30 ms back.
  it('gives offset and delay of the example', () => {
    const nine = Date.UTC(2010, 5, 1, 9);
    const clock = new ClockOffset();
    clock.sample({
      sent: nine, // T1
      peerReceived: nine + 1_035, // T2
      peerSent: nine + 1_043, // T3
      received: nine + 68, // T4
    });
    expect(clock.offset).toBe((1_035 - 0 + (1_043 - 68)) / 2);
    expect(clock.offset).toBe(1_005);
    expect(clock.delay).toBe(68 - 0 - (1_043 - 1_035));
    expect(clock.delay).toBe(60);
  });

  it('is exact over a path that is symmetric', () => {
    const whole = fc.integer({ min: 0, max: 10_000 });
    const ahead = fc.integer({ min: -1e12, max: 1e12 });
    fc.assert(
      fc.property(whole, whole, ahead, (oneWay, held, offset) => {
        const clock = new ClockOffset();
        const [sent, received] = [1e12, 1e12 + 2 * oneWay + held];
        const peerReceived = sent + oneWay + offset;
        clock.sample({ sent, peerReceived, peerSent: peerReceived + held, received });
        expect(clock).toMatchObject({ offset, delay: 2 * oneWay });
      }),
      settings,
    );
  });

  it('is wrong over one that is not, by half the difference of the ways, within δ/2', () => {
    const clock = new ClockOffset();
    clock.sample({ sent: 0, peerReceived: 90, peerSent: 90, received: 100 }); // 90 there, 10 back
    expect(clock.offset).toBe((90 - 10) / 2);
    expect(clock.error).toBeGreaterThanOrEqual(40);
  });

  // "if the frequency difference is 100 ppm and the interval T4-T1 is 64 s, the apparent delay is
  // -6.4 ms": ours must be within 15 ppm, so that one is refused, and -0.96 ms is clamped.
  it('clamps a delay that drift has made negative', () => {
    const [fast, tolerable] = [new ClockOffset(), new ClockOffset()];
    fast.sample({ sent: 0, peerReceived: 0, peerSent: 64_006.4, received: 64_000 });
    tolerable.sample({ sent: 0, peerReceived: 0, peerSent: 64_000.96, received: 64_000 });
    expect(fast.delay).toBeUndefined();
    expect(tolerable.delay).toBe(0);
  });
});

describe('§9.2: the dispersion is the precision of both clocks and PHI × (T4 - T1)', () => {
  it('is the whole error of a path without delay', () => {
    const clock = new ClockOffset();
    clock.sample({ sent: 0, peerReceived: 0, peerSent: 86_400_000, received: 86_400_000 });
    expect(clock.error).toBeCloseTo(1 + 1_296, 6); // "about 1.3 s per day"
  });
});

describe('§10: the clock filter', () => {
  it('is a shift register of eight, of which the sample with the least delay counts', () => {
    const clock = new ClockOffset();
    const delays = [50, 20, 70, 40, 90, 60, 80, 30, 100, 110, 120];
    const counts = delays.map((delay, index) => {
      const sent = index * 64_000;
      const peer = sent + delay / 2;
      clock.sample({ sent, peerReceived: peer, peerSent: peer, received: sent + delay });
      return clock.delay;
    });
    expect(counts).toEqual([50, 20, 20, 20, 20, 20, 20, 20, 20, 30, 30]);
  });

  it('λ = δ/2 + ε grows at the rate PHI', () => {
    const clock = new ClockOffset();
    clock.sample({ sent: 0, peerReceived: 10, peerSent: 10, received: 20 });
    const fresh = clock.error ?? Number.NaN;
    clock.sample({
      sent: 1_000_000,
      peerReceived: 1_000_200,
      peerSent: 1_000_200,
      received: 1_000_400,
    });
    expect(clock.delay).toBe(20);
    expect((clock.error ?? Number.NaN) - fresh).toBeCloseTo((1_000_400 - 20) * 15e-6, 9);
  });

  /** Exchanges over any paths between clocks that drift apart, each of which tells whole ms. */
  it('never gives an offset that is wrong by more than its error', () => {
    const way = fc.oneof(
      fc.double({ min: 0, max: 3, noNaN: true }),
      fc.double({ min: 0, max: 5_000, noNaN: true }),
    );
    const exchange = fc.record({
      pause: fc.integer({ min: 0, max: 600_000 }),
      there: way,
      held: way,
      back: way,
    });
    const ahead = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    const drift = fc.double({ min: -15e-6, max: 15e-6, noNaN: true });
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1 }), ahead, drift, (exchanges, start, rate) => {
        const clock = new ClockOffset();
        let time = 1e12;
        const offset = () => start + rate * (time - 1e12);
        const ours = () => Math.floor(time);
        const theirs = () => Math.floor(time + offset());
        const after = (wait: number, read: () => number) => {
          time += wait;
          return read();
        };
        for (const { pause, there, held, back } of exchanges) {
          clock.sample({
            sent: after(pause, ours),
            peerReceived: after(there, theirs),
            peerSent: after(held, theirs),
            received: after(back, ours),
          });
          const { offset: measured = Number.NaN, error = Number.NaN } = clock;
          expect(Math.abs(measured - offset())).toBeLessThanOrEqual(error);
        }
      }),
      settings,
    );
  });
});
