// The figures that prose claims, and those that a command has printed.

const KEPT = /<!-- begin of what `npm run [^`]*` writes -->([\s\S]*?)<!-- end of what/g;
const VERBS = /`npm run (compare|bench|study|soak)\b/;
const FIGURE =
  /(?<![\w.])(\d[\d ]*(?:\.\d+)?)(?: ?(?:×|%|[kM]?B|bytes|[mµ]?s)|[- ]times|-fold)(?!\w)/g;
const NUMBER = /(?<![\w.])\d[\d ]*(?:\.\d+)?/g;

/** One clause ends and the next begins: the options of a figure are named in its own. */
const CLAUSE = /(?<=[.;:])\s+/;

/**
 * The figures that a page claims to have been measured: numbers with a unit, in all of its prose if it
 * `boasts`, else in the paragraphs that name a command that measures and in the sentences that name
 * wirebeat and one of `peers`. As they are written, each with its clause.
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
 * The rows of the tables that commands have written into a page: the name of the subject, the options that
 * it has, as its first cell says behind " with ", and its other cells.
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

/** The libraries that those rows name beside wirebeat, without versions. */
export function peersIn(rows) {
  const names = rows.map(({ name }) => name.replace(/,? [\d.]+$|,.*$/, ''));
  return [...new Set(names)].filter((name) => name !== 'wirebeat');
}

/**
 * The options with which a figure was measured, if all rows that have it have options and its clause names
 * none of them. Undefined where all is well.
 */
export function unnamedOptions({ claim, number, clause }, rows) {
  const isRatio = /times|×|-fold/.test(claim);
  const isSource = (cell) => cell === claim || (isRatio && cell === number);
  const sources = rows.filter(({ cells }) => cells.some(isSource));
  const isNamed = ({ options }) => options === undefined || names(clause, options);
  return sources.some(isNamed) ? undefined : sources[0]?.options;
}

/** Whether a clause has the words of the options, or the name of the first of them. */
function names(clause, options) {
  const [, first] = /^`(\w+)/.exec(options) ?? [];
  return clause.includes(options) || (first !== undefined && clause.includes(`\`${first}`));
}

/** The numbers that commands have written into a page. */
export function numbersKeptIn(text) {
  return numbersOf([...text.matchAll(KEPT)].map(([, kept]) => kept).join('\n'));
}

export function numbersOf(text) {
  return [...text.matchAll(NUMBER)].map(([number]) => number.trim());
}
