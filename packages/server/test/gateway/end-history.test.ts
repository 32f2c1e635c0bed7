import { describe, expect, it } from 'vitest';
import { EndHistory, type EndPattern } from '../../src/gateway/end-history.ts';

/** Adds ends of `[at, idle, age, survivedIdle]` and returns what the last one shows. */
function patternOf(
  ...ends: readonly (readonly [at: number, idle: number, age: number, survivedIdle?: number])[]
): EndPattern | undefined {
  const history = new EndHistory();
  const all = ends.map(([at, idle, age, survivedIdle = 0]) =>
    history.add('page', { at, idleFor: idle, age, survivedIdle }),
  );
  return all.at(-1);
}

describe('EndHistory', () => {
  it('finds an idle timeout in three ends after the same silence', () => {
    expect(patternOf([0, 8_000, 9_000], [10_000, 8_100, 30_000], [30_000, 7_950, 50_000])).toEqual({
      type: 'idle-timeout',
      after: 7_950,
      times: 3,
    });
  });

  it('finds a lifetime limit in three ends at the same age', () => {
    expect(patternOf([0, 10, 60_000], [10_000, 900, 60_100], [30_000, 400, 59_900])).toMatchObject({
      type: 'age-limit',
      times: 3,
    });
  });

  it('counts ends at one moment once: a restart is no limit', () => {
    expect(patternOf([0, 8_000, 9_000], [1, 8_000, 9_000], [2, 8_000, 9_000])).toBeUndefined();
  });

  it('does not take a silence for a limit that a connection has survived', () => {
    const ends = [0, 10_000, 20_000].map((at) => [at, 8_000, at + 5_000, 8_000] as const);
    expect(patternOf(...ends)).toBeUndefined();
  });

  it('keeps the two sides apart', () => {
    const history = new EndHistory();
    const end = { idleFor: 8_000, age: 9_000, survivedIdle: 0 };
    history.add('page', { ...end, at: 0 });
    history.add('page', { ...end, at: 10_000 });
    expect(history.add('upstream', { ...end, at: 20_000 })).toBeUndefined();
    expect(history.add('page', { ...end, at: 30_000 })).toBeDefined();
  });
});
