import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judge } from '../study/demands.ts';
import { isKeptIn, keepIn, PAGE } from '../study/page.ts';
import { type Result, SHORT, study } from '../study/study.ts';
import { table } from '../study/table.ts';

const results = study(SHORT);
const page = readFileSync(new URL(`../../../${PAGE}`, import.meta.url), 'utf8');

/** The short study's results, but for one subject on one network. */
function but(network: string, subject: string, other: Partial<Result>): readonly Result[] {
  return results.map((each) =>
    each.network.name === network && each.subject.name === subject ? { ...each, ...other } : each,
  );
}

const missed = (all: readonly Result[]) =>
  judge(all).filter(({ holds, isKnown }) => !holds && !isKnown);

describe('the false-alarm study', () => {
  it('finds that our defaults hold what they must', () => {
    expect(missed(results)).toEqual([]);
  });

  it('gives the same figures each time', () => {
    const { network, subject } = results[1] ?? {};
    expect(subject?.name).toBe('wirebeat client, acting');
    const again = study({ runs: 1, hours: 1, cuts: 2, cutAfter: 60_000 });
    expect(study({ runs: 1, hours: 1, cuts: 2, cutAfter: 60_000 })).toEqual(again);
    expect(again[1]?.network).toBe(network);
  });

  it('is what the page keeps; else run `npm run study`', () => {
    expect(isKeptIn(page, table(results))).toBe(true);
    const less = results.slice(1);
    expect(isKeptIn(page, table(less))).toBe(false);
    const kept = keepIn(page, 'the table', table(less));
    expect(isKeptIn(kept, table(less))).toBe(true);
    expect(keepIn(kept, 'the table', table(less))).toBe(kept);
  });

  it('misses a demand where a peer dies falsely, is suspect late or too often, or breaks a bound', () => {
    const acting = 'wirebeat client, acting';
    expect(missed(but('steady', acting, { deathsPerDay: 0.1 }))).toHaveLength(1);
    expect(missed(but('steady', acting, { suspicionsPerHour: 1.1 }))).toHaveLength(1);
    expect(missed(but('mobile', acting, { toSuspect: [2_501] }))).toHaveLength(1);
    expect(missed(but('hidden tab', 'wirebeat client, idle', { wronged: 1 }))).toHaveLength(1);
    expect(missed(but('mobile', 'wirebeat server', { isBoundExceeded: true }))).toHaveLength(1);
    expect(missed(but('bufferbloat', 'wirebeat server', { missed: 1 }))).toHaveLength(1);
  });

  it('shows what is known of the peers', () => {
    const find = (network: string, subject: string) =>
      results.find((each) => each.network.name === network && each.subject.name === subject);
    const worst = (subject: string) => Math.max(...(find('steady', subject)?.toDead ?? []));
    expect(worst('engine.io client 25/20')).toBeLessThanOrEqual(45_000);
    expect(worst('websockets 20/20')).toBeLessThanOrEqual(40_000);
    expect(worst('ws README sweep 30')).toBeLessThanOrEqual(60_000);
    expect(worst('wirebeat client, idle')).toBeLessThanOrEqual(46_000);
    // Its timer is overdue when the machine wakes, whatever the peer did.
    expect(find('laptop sleep', 'engine.io client 25/20')?.deathsPerDay).toBeGreaterThan(1);
  });
});
