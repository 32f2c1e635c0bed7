// Parses the parts of a Markdown file that the checks need: its code blocks, links and anchors.

/**
 * Returns the fenced blocks and the rest of the text: `{ blocks, prose }`. A block is `{ language,
 * words, code, line }`: `words` is the rest of its info string, and `line` the line after the fence.
 */
export function readMarkdown(text) {
  const blocks = [];
  const prose = [];
  let open;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const [, indent = '', fence = '', info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined && fence !== '') {
      const [language, ...words] = info.trim().split(/\s+/);
      open = { fence, indent: indent.length, language, words, lines: [], line: index + 2 };
    } else if (open === undefined) prose.push(line);
    else if (fence.startsWith(open.fence) && info.trim() === '') {
      blocks.push(closed(open));
      open = undefined;
    } else open.lines.push(line.replace(new RegExp(`^ {0,${open.indent}}`), ''));
  }
  if (open !== undefined) blocks.push(closed(open)); // CommonMark: an open fence extends to the end
  return { blocks, prose: prose.join('\n') };
}

function closed({ language, words, lines, line }) {
  return { language, words, code: `${lines.join('\n')}\n`, line };
}

/** Returns the targets of the links and pictures in prose, without those on other hosts. */
export function localLinks(prose) {
  const text = prose.replace(/`[^`\n]*`/g, '');
  const targets = [
    ...text.matchAll(/\]\(<?([^)>\s]+)/g),
    ...text.matchAll(/^ *\[[^\]]+\]: *(\S+)/gm),
    ...text.matchAll(/<(?:a|img)\s[^>]*?(?:href|src)="([^"]+)"/g),
  ].map((match) => match[1]);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/**
 * Returns the rows that occur twice under one heading. A row with an empty first cell continues the row
 * before.
 */
export function repeatedRows(prose) {
  return prose.split(/^#+ /m).flatMap((section) => {
    const rows = section.split('\n').filter((line) => /^\| *[^|\s:-]/.test(line));
    return rows.filter((row, index) => rows.indexOf(row) !== index);
  });
}

/** Returns the anchors of the headings in prose, as code hosts create them. */
export function anchors(prose) {
  const seen = new Map();
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const anchor = slugOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** Returns the anchor of the first heading with this text, without Markdown's links. */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}
