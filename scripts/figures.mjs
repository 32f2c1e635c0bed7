// Finds the figures that prose claims and the figures that commands have printed.

const KEPT = /<!-- begin of what `npm run [^`]*` writes -->([\s\S]*?)<!-- end of what/g;
const VERBS = /`npm run (compare|bench|study|soak)\b/;
const FIGURE =
  /(?<![\w.])(\d[\d ]*(?:\.\d+)?)(?: ?(?:×|%|[kM]?B|bytes|[mµ]?s)|[- ]times|-fold)(?!\w)/g;
const NUMBER = /(?<![\w.])\d[\d ]*(?:\.\d+)?/g;

/** Separates clauses: the options of a figure must be named in its own clause. */
const CLAUSE = /(?<=[.;:])\s+/;

/**
 * Returns the figures that a page claims were measured, as written, each with its clause: numbers with
 * a unit. If the page `boasts`, all of its prose counts; otherwise only the paragraphs that name a
 * command that measures, and the sentences that name wirebeat and one of `peers`.
 */
export function claimsOf(prose, boasts, peers = []) {
  const own = prose.replace(KEPT, '');
  const isClaim = (text) =>
    !text.includes('\n|') && text.includes('wirebeat') && peers.some((peer) => text.includes(peer));
  const claiming = own
    .split(/\n\s*\n/)
    .flatMap((text) =>
      boasts || VERBS.test(text) ? [text] : text.split(/(?<=\.)\s+/).filter(isClaim),
    );
  return claiming.flatMap((text) => text.split(CLAUSE)).flatMap(claimsIn);
}

function claimsIn(clause) {
  const figures = clause.replace(/`[^`\n]*\d[^`\n]*`/g, '').matchAll(FIGURE);
  return [...figures].map(([claim, number]) => ({ claim, number: number.trim(), clause }));
}

/**
 * Returns the rows of the tables that commands have written into a page: the name of the subject, its
 * options (the text after " with " in the first cell), and its other cells.
 */
export function rowsKeptIn(text) {
  return [...text.matchAll(KEPT)].flatMap(([, kept]) => {
    const [, , ...rows] = kept.split('\n').filter((line) => line.startsWith('|'));
    return rows.map((row) => {
      const [first = '', ...cells] = row.split('|').slice(1, -1);
      const [name = '', options] = first.trim().split(' with ');
      return { name, options, cells: cells.map((cell) => cell.trim()) };
    });
  });
}

/** Returns the libraries that those rows name in addition to wirebeat, without versions. */
export function peersIn(rows) {
  const names = rows.map(({ name }) => name.replace(/,? [\d.]+$|,.*$/, ''));
  return [...new Set(names)].filter((name) => name !== 'wirebeat');
}

/**
 * Returns the options with which a figure was measured, if all rows with this figure have options and
 * its clause names none of them; otherwise `undefined`.
 */
export function unnamedOptions({ claim, number, clause }, rows) {
  const isRatio = /times|×|-fold/.test(claim);
  const isSource = (cell) => cell === claim || (isRatio && cell === number);
  const sources = rows.filter(({ cells }) => cells.some(isSource));
  const isNamed = ({ options }) => options === undefined || names(clause, options);
  return sources.some(isNamed) ? undefined : sources[0]?.options;
}

/** Returns whether a clause contains the text of the options, or the name of the first one. */
function names(clause, options) {
  const [, first] = /^`(\w+)/.exec(options) ?? [];
  return clause.includes(options) || (first !== undefined && clause.includes(`\`${first}`));
}

/** Returns whether a page shows figures that a command has measured. */
export function printsFigures(text) {
  const paragraphs = text.split(/\n\s*\n/);
  const isTabled = (_, index) =>
    /`npm run (bench|compare|study)\b/.test(paragraphs[index - 1] ?? '');
  return (
    text.match(KEPT) !== null ||
    paragraphs.some((each, index) => each.startsWith('|') && isTabled(each, index))
  );
}

/** Returns the numbers that commands have written into a page. */
export function numbersKeptIn(text) {
  return numbersOf([...text.matchAll(KEPT)].map(([, kept]) => kept).join('\n'));
}

export function numbersOf(text) {
  return [...text.matchAll(NUMBER)].map(([number]) => number.trim());
}
