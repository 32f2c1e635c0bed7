import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/random.ts';

function draws(seed: number, count: number): number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, random);
}

describe('seededRandom', () => {
  // Marsaglia 2003 §3, with the triple [13, 17, 5]: the sequence that follows 1
  it('is the xorshift of 32 bits', () => {
    expect(draws(1, 5).map((draw) => draw * 2 ** 32)).toEqual([
      270_369, 67_634_689, 2_647_435_461, 307_599_695, 2_398_689_233,
    ]);
  });

  it('gives the same numbers for the same seed, and others for another', () => {
    expect(draws(42, 10)).toEqual(draws(42, 10));
    expect(draws(42, 10)).not.toEqual(draws(43, 10));
  });

  it('gives each stream numbers of its own', () => {
    const one = seededRandom(7);
    const other = seededRandom(7);
    one();
    one();
    expect(other()).toBe(seededRandom(7)());
  });

  it('does not stand still with seed 0', () => {
    expect(new Set(draws(0, 10)).size).toBe(10);
    expect(draws(0, 10)).toEqual(draws(1, 10));
  });

  it('takes any integer as a seed, also a negative or a large one', () => {
    for (const seed of [-1, 2 ** 31, 2 ** 32 - 1]) {
      expect(new Set(draws(seed, 10)).size).toBe(10);
    }
  });

  it('stays in [0, 1) and fills it evenly', () => {
    const all = draws(3, 10_000);
    expect(all.every((draw) => draw >= 0 && draw < 1)).toBe(true);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const inside = all.filter((draw) => Math.floor(draw * 10) === tenth);
      expect(inside.length).toBeGreaterThan(900);
      expect(inside.length).toBeLessThan(1_100);
    }
  });
});
