// Concludes a comparison: one table that answers one question, and the requirements for it.
import { readFileSync, writeFileSync } from 'node:fs';
import { document, keepIn, tableOf } from './document.mjs';
import { IS_TRIAL } from './trial.mjs';

const PAGE = new URL('../../../docs/comparison.md', import.meta.url);

/**
 * Prints the table and the requirements, writes both to docs/comparison.md under `name`, and ends the
 * process, with code 1 if a requirement is missed. A row is a list of cells. The first cell names a
 * subject and, after " with ", its options. `packages` are the packages whose versions are printed. A
 * trial writes nothing and never fails.
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
