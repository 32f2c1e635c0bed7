import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LinkEvidence, linkQuality } from '../../src/statistics/link-quality.ts';
import { RUNS } from '../simulation.ts';

const GRADES = ['good', 'slow', 'poor', 'lost'];
const HEALTHY: LinkEvidence = {
  isOpen: true,
  isSuspect: false,
  recent: 40,
  usual: 40,
  overdue: 0,
};

const latency = fc.integer({ min: 0, max: 5_000 });
const evidence: fc.Arbitrary<LinkEvidence> = fc.record({
  isOpen: fc.boolean(),
  isSuspect: fc.boolean(),
  recent: fc.option(latency, { nil: undefined }),
  usual: fc.option(latency, { nil: undefined }),
  overdue: fc.integer({ min: 0, max: 20 }),
});

function rank(given: LinkEvidence): number {
  return GRADES.indexOf(linkQuality(given));
}

describe('linkQuality', () => {
  it.each<[grade: string, Partial<LinkEvidence>]>([
    ['good', {}],
    ['good', { recent: undefined, usual: undefined }],
    ['good', { overdue: 1 }],
    ['good', { recent: 139 }], // 3.5 times the usual, and not 100 ms longer
    ['slow', { recent: 140 }],
    ['good', { recent: 299, usual: 120 }], // not 2.5 times the usual
    ['slow', { recent: 300, usual: 120 }],
    ['slow', { recent: 400, usual: 400 }],
    ['slow', { overdue: 2 }],
    ['slow', { recent: 439 }],
    ['poor', { recent: 440 }],
    ['poor', { recent: 1_000, usual: 1_000 }],
    ['poor', { overdue: 5 }],
    ['poor', { isSuspect: true }],
    ['lost', { isOpen: false }],
  ])('grades as %s: %o', (grade, given) => {
    expect(linkQuality({ ...HEALTHY, ...given })).toBe(grade);
  });

  it('is `lost` if and only if the connection is not open', () => {
    fc.assert(
      fc.property(evidence, (given) => (linkQuality(given) === 'lost') === !given.isOpen),
      { numRuns: RUNS },
    );
  });

  it('is never better for a higher recent latency, another overdue answer or a suspicion', () => {
    fc.assert(
      fc.property(evidence, latency, fc.nat(5), (given, more, times) => {
        const before = rank(given);
        const recent = (given.recent ?? 0) + more;
        const usual = given.usual ?? given.recent;
        expect(rank({ ...given, recent, usual })).toBeGreaterThanOrEqual(before);
        const overdue = given.overdue + times;
        expect(rank({ ...given, overdue })).toBeGreaterThanOrEqual(before);
        expect(rank({ ...given, isSuspect: true })).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: RUNS },
    );
  });

  it('is never worse on a link that is usually as slow, unless anybody would notice', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 399 }), (usual) => {
        expect(linkQuality({ ...HEALTHY, recent: usual, usual })).toBe('good');
      }),
      { numRuns: RUNS },
    );
  });
});
