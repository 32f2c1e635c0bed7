// Prints the table of the full study and writes it to its page. Fails if a requirement is missed.
import { readFileSync, writeFileSync } from 'node:fs';
import { judge } from './demands.ts';
import { keepIn, PAGE } from './page.ts';
import { FULL, SHORT, study } from './study.ts';
import { table } from './table.ts';

const results = study(FULL);
const text = table(results);
console.log(`${text}\n`);
writeFileSync(PAGE, keepIn(readFileSync(PAGE, 'utf8'), text, table(study(SHORT))));

const demands = judge(results);
for (const { holds, isKnown, what } of demands) {
  console.log(`${holds ? 'ok    ' : isKnown ? 'KNOWN ' : 'MISSED'} ${what}`);
}
if (demands.some(({ holds, isKnown }) => !holds && !isKnown)) process.exitCode = 1;
