import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Heartbeat } from '../src/machine/heartbeat.ts';
import { RowHeartbeat } from './machine/row-heartbeat.ts';
import { isRemembered, replay } from './traces.ts';

const folder = new URL('traces/', import.meta.url);

describe('the golden traces', () => {
  for (const name of readdirSync(folder)) {
    it(`${name} replays to itself`, () => {
      const trace = readFileSync(new URL(name, folder), 'utf8');
      expect(replay(trace)).toBe(trace);
    });
  }
});

describe('a row of a ConnectionTable', () => {
  const row = (options: object) => new RowHeartbeat(options) as unknown as Heartbeat;
  for (const name of readdirSync(folder)) {
    const trace = readFileSync(new URL(name, folder), 'utf8');
    if (isRemembered(trace)) continue; // a server remembers no peers
    it(`replays ${name} as a machine does`, () => {
      expect(replay(trace, row)).toBe(trace);
    });
  }
});
