import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linkQuality } from '../../src/statistics/link-quality.ts';
import { LinkRecord } from '../../src/statistics/link-record.ts';
import { RUNS } from '../simulation.ts';

function recorded(latencies: readonly (number | undefined)[]): LinkRecord {
  const record = new LinkRecord();
  for (const latency of latencies) record.answered(latency);
  return record;
}

const qualityOf = (record: LinkRecord) => linkQuality(record.evidence(true, false));
const times = (count: number, latency: number) => Array<number>(count).fill(latency);

describe('LinkRecord', () => {
  it('knows nothing at first', () => {
    expect(new LinkRecord().evidence(true, false)).toEqual({
      isOpen: true,
      isSuspect: false,
      recent: undefined,
      usual: undefined,
      overdue: 0,
    });
  });

  it('lets a single late pong change nothing', () => {
    const latency = fc.integer({ min: 0, max: 390 });
    fc.assert(
      fc.property(latency, fc.integer({ min: 2, max: 60 }), fc.nat(60_000), (usual, n, late) => {
        expect(qualityOf(recorded([...times(n, usual), late]))).toBe('good');
      }),
      { numRuns: RUNS },
    );
  });

  it('notices two slow pongs, and calls them usual after a while', () => {
    expect(qualityOf(recorded([...times(20, 20), 200, 200]))).toBe('slow');
    expect(qualityOf(recorded([...times(20, 20), ...times(21, 200)]))).toBe('good');
  });

  it('keeps the last 50 latencies, and the last 20 answers', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.nat(1_000), { nil: undefined })), (latencies) => {
        const certain = latencies.filter((latency) => latency !== undefined);
        expect(recorded(latencies).latencies).toEqual(certain.slice(-50));
      }),
      { numRuns: RUNS },
    );
    const record = new LinkRecord();
    for (let n = 0; n < 25; n += 1) record.overdue();
    expect(record.evidence(true, false).overdue).toBe(20);
    record.answered(undefined); // the last of these, late
    for (let n = 0; n < 15; n += 1) record.answered(undefined);
    expect(record.evidence(true, false).overdue).toBe(5);
    expect(qualityOf(record)).toBe('poor');
    record.answered(10);
    expect(qualityOf(record)).toBe('slow');
  });

  it('counts a late answer as one answer', () => {
    const record = new LinkRecord();
    for (let count = 0; count < 5; count += 1) {
      record.overdue();
      record.answered(10);
    }
    for (let count = 0; count < 15; count += 1) record.answered(10);
    expect(record.evidence(true, false).overdue).toBe(5);
    record.answered(10);
    expect(record.evidence(true, false).overdue).toBe(4);
  });
});
