// Phase × fact: table.txt has one row a cell, and this is one test a cell.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ReconnectPhase } from '../../../src/reconnect/machine/phase.ts';
import { Reconnector } from '../../../src/reconnect/machine/reconnector.ts';
import { happen, OPTIONS, wordsOf } from './machine.ts';

const OPEN = ['start', 'opened 1'];
const READYING = [...OPEN, 'emitted'];
const FAILED = ['start', 'failed 1', 'ended 1'];

/** What leads to each phase, and whether the application prepares its connections. */
const PATHS: Record<ReconnectPhase, [facts: string[], hasReady?: boolean]> = {
  dialling: [['start']],
  open: [OPEN],
  readying: [READYING, true],
  failing: [[...READYING, 'not-ready 1'], true],
  ready: [[...READYING, 'answered 1']],
  lost: [[...READYING, 'ended 1']],
  over: [[...READYING, 'ended 1 4400']],
  waiting: [[...FAILED, 'emitted']],
  closing: [[...READYING, 'close']],
  closed: [['start', 'close', 'ended 1']],
};

/** Applies the row's fact in its phase, and returns the row as it should read. */
function replay(row: string): string {
  const [cell = ''] = row.split('|');
  const [phase = '', ...words] = cell.trim().split(/\s+/);
  const [facts, hasReady = false] = PATHS[phase as ReconnectPhase];
  const ready = hasReady ? () => {} : undefined;
  const machine = new Reconnector({ ...OPTIONS, ready, maxAge: 60_000 });
  for (const fact of facts) happen(machine, 0, fact);
  expect(machine.phase).toBe(phase);
  const isDue = words.join(' ') === 'tick';
  const now = isDue && machine.deadline < Number.POSITIVE_INFINITY ? machine.deadline : 0;
  const orders = happen(machine, now, words.join(' ')).map(wordsOf);
  const moved = machine.phase === phase ? '-' : machine.phase;
  return `${cell.trimEnd().padEnd(24)} | ${moved.padEnd(9)} | ${orders.join(', ')}`.trimEnd();
}

const table = readFileSync(new URL('table.txt', import.meta.url), 'utf8');
const rows = table.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

describe('the phases of a Reconnector', () => {
  it.each(rows)('%s', (row) => expect(replay(row)).toBe(row));

  it('have one row for each fact', () => {
    const cells = rows.map((row) => row.split('|')[0]?.trim().split(/\s+/) ?? []);
    const facts = new Set(cells.map(([, fact]) => fact));
    expect(cells).toHaveLength(facts.size * Object.keys(PATHS).length);
    expect(new Set(cells.map(([phase, fact]) => `${phase} ${fact}`)).size).toBe(cells.length);
  });
});
