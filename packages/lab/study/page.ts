import { createHash } from 'node:crypto';

/** The page that contains the table, relative to the root of the repository. */
export const PAGE = 'docs/topics/failure-detection.md';

const BEGIN = '<!-- begin of what `npm run study` writes -->';
const END = '<!-- end of what `npm run study` writes -->';

/**
 * Returns the page with the table of the full study and a mark of the short one. With the mark, `npm
 * test` checks whether the table belongs to this code.
 */
export function keepIn(page: string, full: string, short: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no place for the table`);
  const kept = `${BEGIN}\n${full}\n\n${markOf(short)}\n`;
  return page.slice(0, from) + kept + page.slice(to);
}

/** Returns whether the page contains a table of the code that produced this short one. */
export function isKeptIn(page: string, short: string): boolean {
  return page.includes(markOf(short));
}

function markOf(short: string): string {
  return `<!-- short study: ${createHash('sha256').update(short).digest('hex').slice(0, 16)} -->`;
}
