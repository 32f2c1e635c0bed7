/**
 * Bytes of a text in UTF-8, in which a lone surrogate takes as many as its replacement. By hand: the
 * jsdom of Jest has no `TextEncoder`.
 */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    bytes += character < '\x80' ? 1 : character < '\u0800' ? 2 : character.length > 1 ? 4 : 3;
  }
  return bytes;
}
