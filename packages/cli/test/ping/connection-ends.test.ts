import { describe, expect, it } from 'vitest';
import { describeEnd, type End, patternOf } from '../../src/ping/connection-ends.ts';

const END: End = { age: 20_000, idle: 8_000, survived: 1_000, code: 1006, text: '' };

/** Ends with these values, oldest first. */
function ends(...all: readonly Partial<End>[]): readonly End[] {
  return all.map((one) => ({ ...END, ...one }));
}

describe('patternOf', () => {
  it('finds an idle timeout in ends after the same silence, whatever their age', () => {
    const row = ends({ age: 9_000 }, { age: 30_000, idle: 8_050 }, { age: 8_000, idle: 7_980 });
    expect(patternOf(row)).toMatchObject({ type: 'idle-timeout', after: 8_000, times: 3 });
    expect(patternOf(row)?.text).toMatch(/^Closed after 8\.0 s idle, 3 times in a row/);
  });

  it('finds a lifetime limit in ends at the same age', () => {
    const row = ends(
      { age: 60_000, idle: 100 },
      { age: 60_100, idle: 900 },
      { age: 59_900, idle: 400 },
    );
    expect(patternOf(row)).toMatchObject({ type: 'age-limit', after: 60_000 });
  });

  it('does not take a silence that connections survived for an idle timeout', () => {
    const row = ends(
      { idle: 1_000, survived: 1_000 },
      { idle: 990, survived: 1_000 },
      { idle: 1_010, survived: 1_000 },
    );
    expect(patternOf(row)?.type).toBe('age-limit');
  });

  it('finds that a server refuses connections as soon as they are open', () => {
    const young = { age: 40, idle: 10, survived: 30 };
    expect(patternOf(ends(young, young, young))?.type).toBe('closed-at-once');
  });

  it.each([
    ['two ends', ends({}, {})],
    ['no end', []],
    [
      'ends at different times',
      ends({}, { idle: 3_000, age: 1_000 }, { idle: 14_000, age: 99_000 }),
    ],
    ['an older pattern that has stopped', ends({}, {}, {}, { idle: 3_000, age: 1_000 })],
  ])('finds nothing in %s', (_, row) => {
    expect(patternOf(row)).toBeUndefined();
  });
});

describe('describeEnd', () => {
  it('says how the connection ended, and when', () => {
    expect(describeEnd(END)).toBe('no Close frame, after 20.0 s, 8.0 s of it idle');
    expect(describeEnd({ ...END, code: 1001, text: 'going away' })).toBe(
      'close code 1001, going away, after 20.0 s, 8.0 s of it idle',
    );
  });
});
