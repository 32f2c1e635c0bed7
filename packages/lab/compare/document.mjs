// The Markdown that the comparisons write to docs/comparison.md.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

const begin = (name) => `<!-- begin of what \`npm run compare -- ${name}\` writes -->`;
const end = (name) => `<!-- end of what \`npm run compare -- ${name}\` writes -->`;

/** Formats a Markdown table with text in the first column and figures in the others. */
export function tableOf(heads, rows) {
  const lines = [heads, ...rows].map((line) => line.map(String));
  const widths = heads.map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)));
  const rule = widths.map((width, at) =>
    at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  const pad = (line) =>
    line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at])));
  const [first, ...others] = lines.map(pad);
  return [first, rule, ...others].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/**
 * Formats the table, the requirements with their results, and the versions and machine of the
 * measurement.
 */
export function document(table, demands, packages) {
  const verdicts = demands.map(([holds, what]) => `- ${holds ? 'Holds' : '**Missed**'}: ${what}.`);
  const versions = packages.map((name) => `${name} ${versionOf(name)}`);
  const where = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`;
  const measured = [
    today(),
    `commit ${commit()}`,
    `Node ${process.versions.node}`,
    where,
    ...versions,
  ];
  return [table, verdicts.join('\n'), `Measured: ${measured.join('; ')}.`]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Returns the page with `text` in the section of `name`. */
export function keepIn(page, name, text) {
  const [from, to] = [page.indexOf(begin(name)), page.indexOf(end(name))];
  if (from === -1 || to < from) throw new Error(`docs/comparison.md has no place for ${name}`);
  return `${page.slice(0, from)}${begin(name)}\n\n${text}\n\n${page.slice(to)}`;
}

function versionOf(name) {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')).version;
}

function today() {
  return new Date().toISOString().slice(0, 10);
}

/** Returns the commit, marked if the working tree has changes. */
function commit() {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const changed =
    git('status', '--porcelain', '--', 'packages/*/src') === '' ? '' : ' with changes';
  return git('rev-parse', '--short', 'HEAD') + changed;
}
