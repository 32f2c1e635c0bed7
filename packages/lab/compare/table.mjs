/** Prints a table: a title, the heads of its columns, and its rows. The first column is words. */
export function printTable(title, heads, rows) {
  const lines = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (cell, column) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  console.log(`\n${title}\n`);
  for (const line of lines) console.log(`  ${line.map(pad).join('  ')}`.trimEnd());
  console.log();
}
