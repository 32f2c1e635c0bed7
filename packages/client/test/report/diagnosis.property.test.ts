// Chance makes no pattern, or hardly ever; a pattern that is planted is found, whatever was before it.
import { seededRandom } from '@wirebeat/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CloseReason, NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { diagnose, type End } from '../../src/report/diagnosis.ts';

const SECOND = 1_000;
const HOUR = 3_600_000;

/** An end as it comes: the default heartbeat lets no silence grow beyond 25 s, users come and go. */
function chance(random: () => number): End {
  const pick = <T>(...values: readonly T[]) => values[Math.floor(random() * values.length)] as T;
  const age = -Math.log(1 - random()) * 0.5 * HOUR;
  const silentFor = Math.min(age, random() * 25 * SECOND);
  return {
    ...NEVER_DIALLED,
    reason: pick<CloseReason>('abnormal', 'abnormal', 'peer-close', 'ping-timeout', 'one-way'),
    wasOpen: true,
    latency: 30 + random() * 100,
    age,
    silentFor,
    quietFor: Math.min(age, random() * 25 * SECOND),
    missedPings: pick(0, 0, 1),
    bufferedAmount: pick(0, 0, 0, 400),
    page: pick('visible', 'visible', 'hidden'),
    pageFor: pick(undefined, random() * 0.5 * HOUR),
  };
}

const seed = fc.integer();
const before = fc.nat(6);

/** Ends by chance, and then four or more in which something is planted. */
function plant(seedOf: number, lead: number, times: number, given: (at: number) => Partial<End>) {
  const random = seededRandom(seedOf);
  const endOf = () => ({ ...chance(random), reason: 'abnormal' as const });
  const first = Array.from({ length: lead }, () => chance(random));
  const planted = Array.from({ length: times }, (_, at) => {
    const end = { ...endOf(), page: 'visible' as const, pageFor: undefined, ...given(at) };
    return { ...end, age: Math.max(end.age ?? 0, 10 * SECOND) };
  });
  return [...first, ...planted];
}

describe('a diagnosis', () => {
  it('comes of chance less than once in a thousand ends', () => {
    const random = seededRandom(20_260_714); // the same each time: it is a rate that is bounded
    const ends: End[] = [];
    let found = 0;
    for (let times = 0; times < 50_000; times += 1) {
      ends.push(chance(random));
      if (ends.length > 100) ends.shift();
      if (diagnose(ends) !== undefined) found += 1;
    }
    expect(found).toBeLessThan(50);
    expect(found).toBeGreaterThan(0); // else it would not be this chance that is met here
  });

  it('never comes of silences and ages that lie further apart than a timer does', () => {
    const apart = fc.integer({ min: 1_200, max: 20_000 });
    fc.assert(
      fc.property(seed, apart, (seedOf, gap) => {
        const ends = plant(seedOf, 0, 8, (at) => ({
          silentFor: 6_000 + at * gap,
          quietFor: 7_000 + at * gap,
          age: 60_000 + at * 10 * gap,
        }));
        expect(diagnose(ends)).toBeUndefined();
      }),
    );
  });

  it('finds an idle timeout of any length behind any ends', () => {
    const timeout = fc.integer({ min: 5_000, max: HOUR });
    const wobble = fc.array(fc.double({ min: 0, max: 0.04, noNaN: true }), {
      minLength: 4,
      maxLength: 8,
    });
    fc.assert(
      fc.property(seed, before, timeout, wobble, (seedOf, lead, after, late) => {
        const ends = plant(seedOf, lead, late.length, (at) => {
          const silentFor = after * (1 + (late[at] ?? 0));
          return { silentFor, age: silentFor + at * HOUR };
        });
        const found = diagnose(ends);
        expect(found?.type).toBe('idle-timeout');
        expect(Math.abs((found?.after ?? 0) / after - 1)).toBeLessThan(0.05);
        expect(found?.times).toBeGreaterThanOrEqual(late.length);
      }),
    );
  });

  it('finds a limit on the age of any length behind any ends', () => {
    const limit = fc.integer({ min: 30_000, max: 24 * HOUR });
    fc.assert(
      fc.property(seed, before, limit, (seedOf, lead, after) => {
        const ends = plant(seedOf, lead, 4, (at) => ({
          age: after + at * 300,
          silentFor: 1_000 + at * 5_500,
          quietFor: 200 + at * 4_000,
        }));
        expect(diagnose(ends)).toMatchObject({ type: 'age-limit' });
      }),
    );
  });

  it('is the same for the same ends, and changes none of them', () => {
    fc.assert(
      fc.property(seed, before, (seedOf, lead) => {
        const ends = plant(seedOf, lead, 4, () => ({ silentFor: 60_000 }));
        for (const end of ends) Object.freeze(end);
        expect(diagnose(Object.freeze(ends))).toEqual(diagnose(ends));
      }),
    );
  });
});
