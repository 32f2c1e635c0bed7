import { describe, expect, it } from 'vitest';
import { batchesOf, neighboursIn } from '../../src/timing/batch-spacing.ts';

const fleet = { pingInterval: 30_000, jitter: 0.1 };
const of = (connections: number, changes = {}) =>
  batchesOf({ connections, ...fleet, ...changes }, 10);

describe('batchesOf', () => {
  it.each([
    [99, 10], // not worth it
    [100, 3_000], // a tenth of the fleet
    [1_000, 3_000],
    [1_500, 1_800], // 100 connections, in multiples of 300 ms
    [2_500, 1_200],
    [10_000, 300],
    [20_000, 150],
    [100_000, 30],
    [1_000_000, 10],
  ])('plans the pings of %i connections for each %i ms', (connections, pings) => {
    expect(of(connections).pings).toBe(pings);
  });

  it('looks at rows at least each hundredth of the interval, and with each batch of pings', () => {
    for (const connections of [100, 2_500, 10_000]) expect(of(connections).looks).toBe(300);
    expect(of(100_000).looks).toBe(30);
    for (const connections of [100, 1_777, 3_333, 54_321]) {
      for (const pingInterval of [50, 1_000, 1_234, 36_000, 1_800_000]) {
        const { pings, looks } = of(connections, { pingInterval });
        expect(looks).toBeGreaterThanOrEqual(10);
        expect(looks).toBeLessThanOrEqual(Math.max(10, pingInterval / 100));
        expect(pings % looks).toBe(0);
      }
    }
  });

  it('leaves the jitter room to reach a batch', () => {
    expect(of(1_000, { jitter: 0.02 }).pings).toBe(600);
    expect(of(1_000, { jitter: 0 })).toEqual({ pings: 10, looks: 10 });
  });

  it('has none without pings', () => {
    const off = of(10_000, { pingInterval: Number.POSITIVE_INFINITY });
    expect(off).toEqual({ pings: 10, looks: 10 });
  });
});

describe('neighboursIn', () => {
  const neighbours = (connections: number, changes = {}) => {
    const planned = { connections, ...fleet, ...changes };
    return neighboursIn(batchesOf(planned, 10), planned);
  };

  it.each([
    [0, 1],
    [99, 1], // no batches
    [100, 1], // 10 in a batch
    [150, 2],
    [300, 4],
    [1_000, 8],
    [10_000, 8],
    [1_000_000, 8],
  ])(
    'keeps groups of %i connections so small that six fit into a batch: %i',
    (connections, size) => {
      expect(neighbours(connections)).toBe(size);
    },
  );

  it('is one without pings', () => {
    expect(neighbours(10_000, { pingInterval: Number.POSITIVE_INFINITY })).toBe(1);
  });
});
