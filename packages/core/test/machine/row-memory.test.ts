import { describe, expect, it } from 'vitest';
import { OWNER, OWNER_INSTANT, PINGED, ROW_WORDS } from '../../src/machine/row.ts';
import { RowMemory } from '../../src/machine/row-memory.ts';

const DAY = 86_400_000;

describe('RowMemory', () => {
  it('gives a released row to the next one, with empty words', () => {
    const memory = new RowMemory();
    const row = memory.take();
    const other = memory.take();
    memory.words[row * ROW_WORDS + OWNER] = 7;
    memory.release(row);
    expect(memory.take()).toBe(row);
    expect(memory.words[row * ROW_WORDS + OWNER]).toBe(0);
    expect(memory.take()).not.toBe(other);
  });

  it('keeps all words when it grows, and never has more than an eighth of its rows free', () => {
    const memory = new RowMemory();
    for (let rows = 1; rows < 3_000; rows += 1) {
      const row = memory.take();
      memory.words[row * ROW_WORDS] = rows;
      expect(memory.words.length / ROW_WORDS).toBeLessThanOrEqual(Math.max(64, rows * 1.13));
    }
    for (let row = 0; row < 2_999; row += 1) expect(memory.words[row * ROW_WORDS]).toBe(row + 1);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 100])(
    'stands still when its clock goes from 200.5 to %s',
    (now) => {
      const memory = new RowMemory();
      expect(memory.advance(200.5)).toBe(200.5);
      expect(memory.advance(now)).toBe(200.5);
    },
  );

  it('moves its origin before 32 bits are too few, with all instants but those that are too old', () => {
    const memory = new RowMemory();
    const at = memory.take() * ROW_WORDS;
    memory.advance(12 * DAY);
    memory.words[at + OWNER_INSTANT] = 11 * DAY;
    memory.words[at + PINGED] = -12 * DAY;
    memory.words[at + OWNER] = 5;
    memory.advance(13 * DAY);
    expect(memory.origin).toBe(13 * DAY);
    expect(memory.words[at + OWNER_INSTANT]).toBe(-2 * DAY);
    expect(memory.words[at + PINGED]).toBe(-(2 ** 30));
    expect(memory.words[at + OWNER]).toBe(5);
  });
});
