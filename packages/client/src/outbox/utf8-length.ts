/**
 * Returns the size of a text in UTF-8 in bytes. A lone surrogate counts as its replacement
 * character. Does not use `TextEncoder`, because the jsdom of Jest has none.
 */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    bytes += character < '\x80' ? 1 : character < '\u0800' ? 2 : character.length > 1 ? 4 : 3;
  }
  return bytes;
}
