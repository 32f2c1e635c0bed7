import { createHash } from 'node:crypto';

/** The page that keeps the table, from the root of the repository. */
export const PAGE = 'docs/topics/failure-detection.md';

const BEGIN = '<!-- begin of what `npm run study` writes -->';
const END = '<!-- end of what `npm run study` writes -->';

/**
 * The page with the table of the full study, and the mark of the short one: by that `npm test` sees
 * whether the table is of this code.
 */
export function keepIn(page: string, full: string, short: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from === -1 || to < from) throw new Error(`${PAGE} has no place for the table`);
  const kept = `${BEGIN}\n${full}\n\n${markOf(short)}\n`;
  return page.slice(0, from) + kept + page.slice(to);
}

/** Whether the page keeps a table of the code that made this short one. */
export function isKeptIn(page: string, short: string): boolean {
  return page.includes(markOf(short));
}

function markOf(short: string): string {
  return `<!-- short study: ${createHash('sha256').update(short).digest('hex').slice(0, 16)} -->`;
}
