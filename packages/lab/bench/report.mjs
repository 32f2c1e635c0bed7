/**
 * Prints a table that answers one question. A row has a label, a unit, a value and possibly a budget.
 * If a value exceeds its budget, the process ends with code 1.
 */
export function report(question, rows) {
  const printed = rows.map(({ what, measured, unit, budget, note = '' }) => [
    what,
    `${number(measured)} ${unit}`,
    budget === undefined ? '' : `at most ${number(budget)}`,
    budget === undefined ? '' : measured <= budget ? 'ok' : 'over',
    note,
  ]);
  const widths = printed[0].map((_, column) =>
    Math.max(...printed.map((row) => row[column].length)),
  );
  console.log(`\n${question}\n`);
  for (const row of printed) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
  }
  const isOver = ({ measured, budget = Number.POSITIVE_INFINITY }) => !(measured <= budget);
  if (rows.some(isOver)) process.exitCode = 1;
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2).replace(/\.?0+$/, '');
}
