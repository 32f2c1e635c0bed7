// The figures that prose claims, and those that a command has printed.

const KEPT = /<!-- begin of what `npm run [^`]*` writes -->([\s\S]*?)<!-- end of what/g;
const VERBS = /`npm run (compare|bench|study|soak)\b/;
const FIGURE =
  /(?<![\w.])(\d[\d ]*(?:\.\d+)?)(?: ?(?:×|%|[kM]?B|bytes|[mµ]?s)|[- ]times|-fold)(?!\w)/g;
const NUMBER = /(?<![\w.])\d[\d ]*(?:\.\d+)?/g;

/**
 * The figures that a page claims to have been measured: numbers with a unit, in all of its prose if it
 * `boasts`, else in the paragraphs that name a command that measures. As they are written.
 */
export function claimsOf(prose, boasts) {
  const own = prose.replace(KEPT, '').replace(/`[^`\n]*\d[^`\n]*`/g, '');
  const claiming = own.split(/\n\s*\n/).filter((text) => boasts || VERBS.test(text));
  return claiming.flatMap((text) =>
    [...text.matchAll(FIGURE)].map(([claim, number]) => ({
      claim,
      number: number.trim(),
    })),
  );
}

/** The numbers that commands have written into a page. */
export function numbersKeptIn(text) {
  return numbersOf([...text.matchAll(KEPT)].map(([, kept]) => kept).join('\n'));
}

export function numbersOf(text) {
  return [...text.matchAll(NUMBER)].map(([number]) => number.trim());
}
