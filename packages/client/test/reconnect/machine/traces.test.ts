import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replay } from './machine.ts';

const folder = new URL('traces/', import.meta.url);

describe('the golden traces of reconnecting', () => {
  for (const name of readdirSync(folder)) {
    it(`${name} replays to itself`, () => {
      const trace = readFileSync(new URL(name, folder), 'utf8');
      expect(replay(trace)).toBe(trace);
    });
  }
});
