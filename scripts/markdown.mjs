// Reads what the checks want of a Markdown file: its code blocks, its links, its anchors.

/** The fenced blocks: `{ language, words, code, line }`, where `words` are the rest of the info. */
export function codeBlocks(text) {
  const blocks = [];
  const fence = /^( *)```([^\n]*)\n([\s\S]*?)^\1```\s*$/gm;
  for (const match of text.matchAll(fence)) {
    const [language = '', ...words] = match[2].trim().split(/\s+/);
    const line = text.slice(0, match.index).split('\n').length;
    blocks.push({ language, words, code: match[3], line });
  }
  return blocks;
}

/** The targets of its links, without those to other hosts. */
export function localLinks(text) {
  const links = [...prose(text).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1]);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** The anchors of its headings, as code hosts make them. */
export function anchors(text) {
  const headings = [...prose(text).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function prose(text) {
  return text.replace(/^( *)```[\s\S]*?^\1```\s*$/gm, '');
}
