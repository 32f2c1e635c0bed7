// Reads what the checks want of a Markdown file: its code blocks, its links, its anchors.

/**
 * The fenced blocks, and what is left: `{ blocks, prose }`. A block is `{ language, words, code,
 * line }`, where `words` are the rest of its info and `line` is the one after the fence.
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
  if (open !== undefined) blocks.push(closed(open)); // as CommonMark has it: up to the end
  return { blocks, prose: prose.join('\n') };
}

function closed({ language, words, lines, line }) {
  return { language, words, code: `${lines.join('\n')}\n`, line };
}

/** The targets of the links and pictures in prose, without those to other hosts. */
export function localLinks(prose) {
  const text = prose.replace(/`[^`\n]*`/g, '');
  const targets = [
    ...text.matchAll(/\]\(<?([^)>\s]+)/g),
    ...text.matchAll(/^ *\[[^\]]+\]: *(\S+)/gm),
    ...text.matchAll(/<(?:a|img)\s[^>]*?(?:href|src)="([^"]+)"/g),
  ].map((match) => match[1]);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/** The rows that stand twice under one heading. One that begins with an empty cell goes on with the one before. */
export function repeatedRows(prose) {
  return prose.split(/^#+ /m).flatMap((section) => {
    const rows = section.split('\n').filter((line) => /^\| *[^|\s:-]/.test(line));
    return rows.filter((row, index) => rows.indexOf(row) !== index);
  });
}

/** The anchors of the headings in prose, as code hosts make them. */
export function anchors(prose) {
  const seen = new Map();
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}
