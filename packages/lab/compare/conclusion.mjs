// What a comparison ends with: one table that answers one question, and what it must show.
import { readFileSync, writeFileSync } from 'node:fs';
import { document, keepIn, tableOf } from './document.mjs';
import { IS_TRIAL } from './trial.mjs';

const PAGE = new URL('../../../docs/comparison.md', import.meta.url);

/**
 * Prints the table and the demands, keeps both in docs/comparison.md under `name`, and ends the
 * process: with 1 if a demand is missed. A row is a list of cells, the first of words: a subject, and
 * behind " with " the options that it has. `packages` are those whose versions count. A trial keeps
 * nothing, and misses nothing.
 */
export function conclude(name, { heads, rows, demands = [], packages = [] }) {
  const verdicts = demands.map(([holds, what]) => `${holds ? 'ok    ' : 'MISSED'} ${what}`);
  const table = tableOf(heads, rows);
  console.log(`\n${name}\n\n${table}\n\n${verdicts.join('\n')}`);
  const text = document(table, demands, packages);
  if (!IS_TRIAL) writeFileSync(PAGE, keepIn(readFileSync(PAGE, 'utf8'), name, text));
  // A peer may hold the process for minutes.
  process.exit(IS_TRIAL || demands.every(([holds]) => holds) ? 0 : 1);
}
