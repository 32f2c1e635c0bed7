import { describe, expect, it } from 'vitest';
import { about, inWords } from '../../src/report/duration-words.ts';

describe('inWords', () => {
  it.each([
    [0, '0 ms'],
    [-5, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [4_249, '4.2 s'],
    [59_449, '59.4 s'],
    [59_500, '1 min'],
    [125_400, '2 min 5 s'],
    [3_599_600, '1 h'],
    [3_600_000 + 59_000, '1 h'],
    [10_920_000, '3 h 2 min'],
    [93_600_000, '1 d 2 h'],
  ])('says %d ms as %s', (duration, words) => {
    expect(inWords(duration)).toBe(words);
  });
});

describe('about', () => {
  it.each([
    [59_950, '60 s'],
    [100_200, '100 s'],
    [350_000, '5.8 min'],
    [600_300, '10 min'],
    [7_200_900, '2 h'],
  ])('takes %d ms for a timer of %s', (duration, words) => {
    expect(about(duration)).toBe(words);
  });
});
